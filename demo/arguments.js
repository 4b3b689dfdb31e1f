'use strict'

// Node's own modules alone: arguments are looked at before anything is installed or built.

const { MOST_SEED, WrongArguments, newSeed, whole, wordsOf } = require('./command_line')

const DEFAULT_CLASSES = 60
const MOST_CLASSES = 200

const USAGE = `usage: npm run demo -- [--seed N] [--classes N] [--open]

  --seed N      repeats the demo with the same classes and faults, 0 to ${MOST_SEED}; a new one each time if absent
  --classes N   how many classes are created, 1 to ${MOST_CLASSES}; ${DEFAULT_CLASSES} if absent
  --open        keeps surecal's dashboard up afterwards, until Ctrl-C
  --help        this text`

/**
 * @param {string[]} words
 * @returns {{help: true} | {help: false, seed: number, classes: number, open: boolean}}
 * @throws WrongArguments
 */
function parseArguments(words) {
  const chosen = { help: false, seed: undefined, classes: DEFAULT_CLASSES, open: false }
  const left = wordsOf(words)
  while (left.length > 0) {
    const word = left.shift()
    if (word === '--help' || word === '-h') return { help: true }
    if (word === '--seed') chosen.seed = whole(word, left.shift(), 0, MOST_SEED, USAGE)
    else if (word === '--classes') chosen.classes = whole(word, left.shift(), 1, MOST_CLASSES, USAGE)
    else if (word === '--open') chosen.open = true
    else throw new WrongArguments(`The demo does not know ${JSON.stringify(word)}.\n\n${USAGE}`)
  }
  return { ...chosen, seed: chosen.seed ?? newSeed() }
}

module.exports = { parseArguments, USAGE }
