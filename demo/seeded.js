'use strict'

/** FNV-1a, 32 bits: enough to give each label a stream of its own. */
function hashOf(text) {
  let hash = 0x811c9dc5
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193)
  return hash >>> 0
}

/**
 * Chance that can be repeated: the same seed and label give the same numbers (mulberry32).
 *
 * @param {number} seed
 * @param {string} label tells apart what must not depend on how much chance others have used
 */
function seeded(seed, label) {
  let state = hashOf(`${seed}:${label}`)
  const chance = {
    /** From 0 up to 1. */
    number() {
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    },
    between: (least, most) => least + Math.floor(chance.number() * (most - least + 1)),
    happens: (probability) => chance.number() < probability,
    pick: (list) => list[chance.between(0, list.length - 1)],
    shuffled(list) {
      const left = [...list]
      return list.map(() => left.splice(chance.between(0, left.length - 1), 1)[0])
    },
  }
  return chance
}

module.exports = { seeded }
