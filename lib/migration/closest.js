'use strict'

/** Farther than this is another word, and not a misspelt one. */
const FARTHEST = 4

/** How many letters must be changed, added or taken out (Levenshtein), whatever their case. */
function distance(one, other) {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()]
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const above = row
    row = [i]
    for (let j = 1; j <= b.length; j++) {
      row[j] = Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
  }
  return row[b.length]
}

/**
 * The name that was probably meant, or undefined.
 *
 * @param {string} name
 * @param {Iterable<string>} names
 */
function closest(name, names) {
  const far = [...names].map((known) => [distance(name, known), known]).sort(([one], [other]) => one - other)
  return far[0]?.[0] <= FARTHEST ? far[0][1] : undefined
}

module.exports = { closest }
