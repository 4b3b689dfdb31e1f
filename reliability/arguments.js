'use strict'

// Node's own modules alone: arguments are looked at before anything is installed or built.

const { MOST_SEED, WrongArguments, newSeed, whole, wordsOf } = require('../demo/command_line')

const PROFILES = ['realistic', 'harsh']
const CONTESTANTS = ['before', 'as written', 'surecal']
/** `pace`: operations begun in a second. */
const DEFAULTS = { operations: 10_000, kills: 50, scale: 1, pace: 45 }
/** A look in seconds: few operations, and every contestant's limits at a fifth. */
const QUICK = { operations: 60, kills: 2, scale: 0.2, pace: 15 }
const REPORT = 'reliability-report.html'

const USAGE = `usage: npm run reliability -- [options]

  --operations N   operations of each contestant in each profile, 40 to 100000; ${DEFAULTS.operations} if absent
  --kills N        how often each contestant's backend is killed in each profile, 0 to 1000; ${DEFAULTS.kills} if absent
  --profile P      realistic (one request to Google in six is faulty), harsh (one in three) or both; both if absent
  --seed N         repeats the workload and the faults' seed, 0 to ${MOST_SEED}; a new one each time if absent
  --only NAMES     before, "as written", surecal, or some of them with commas between; all if absent
  --out FILE       where the report goes; ${REPORT} if absent
  --quick          ${QUICK.operations} operations, ${QUICK.kills} kills, all time limits at a fifth: a look in seconds, no measurement
  --help           this text`

const wrong = (message) => new WrongArguments(`${message}\n\n${USAGE}`)

function among(name, text, known) {
  if (known.includes(text)) return text
  throw wrong(`${name} takes ${known.join(', ')}, not ${JSON.stringify(text ?? null)}.`)
}

/**
 * @param {string[]} words
 * @returns {{help: true} | {help: false, operations: number, kills: number, scale: number, pace: number, quick: boolean,
 *   profiles: string[], contestants: string[], seed: number, out: string}}
 * @throws WrongArguments
 */
function parseArguments(words) {
  const given = {}
  const left = wordsOf(words)
  while (left.length > 0) {
    const word = left.shift()
    if (word === '--help' || word === '-h') return { help: true }
    if (word === '--quick') given.quick = true
    else if (word === '--operations') given.operations = whole(word, left.shift(), 40, 100_000, USAGE)
    else if (word === '--kills') given.kills = whole(word, left.shift(), 0, 1_000, USAGE)
    else if (word === '--seed') given.seed = whole(word, left.shift(), 0, MOST_SEED, USAGE)
    else if (word === '--profile') given.profile = among(word, left.shift(), [...PROFILES, 'both'])
    else if (word === '--only') {
      const names = (left.shift() ?? '').split(',').map((name) => among(word, name.trim(), CONTESTANTS))
      given.contestants = CONTESTANTS.filter((name) => names.includes(name))
    } else if (word === '--out') {
      given.out = left.shift()
      if (!given.out) throw wrong('--out takes the name of a file.')
    } else throw wrong(`There is no option ${JSON.stringify(word)}.`)
  }
  const { quick = false, profile = 'both', contestants = CONTESTANTS, seed, out = REPORT, ...sizes } = given
  return {
    help: false,
    ...(quick ? QUICK : DEFAULTS),
    ...sizes,
    quick,
    profiles: profile === 'both' ? PROFILES : [profile],
    contestants,
    seed: seed ?? newSeed(),
    out,
  }
}

module.exports = { parseArguments, USAGE, PROFILES, CONTESTANTS }
