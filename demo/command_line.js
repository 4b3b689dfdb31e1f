'use strict'

// What the demo's program and the reliability run's have in common. Node's own modules alone: arguments are looked at
// before anything is installed or built.

const MOST_SEED = 2 ** 32 - 1

/** Arguments that cannot be understood; the message is for people. */
class WrongArguments extends Error {}

const newSeed = () => Math.floor(Math.random() * 1_000_000)

/** The words of a command line, `--name=value` being two. */
const wordsOf = (words) =>
  words.flatMap((word) =>
    /^--\w+=/.test(word) ? [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)] : [word],
  )

/** @throws WrongArguments */
function whole(name, text, least, most, usage) {
  const number = /^\d{1,10}$/.test(text ?? '') ? Number(text) : NaN
  if (number >= least && number <= most) return number
  const given = text === undefined ? 'nothing was given' : `not ${JSON.stringify(text)}`
  throw new WrongArguments(`${name} takes a whole number from ${least} to ${most}, ${given}.\n\n${usage}`)
}

/**
 * A whole program: `--help` and wrong arguments are answered also where no package is installed.
 *
 * @param {{parseArguments: Function, USAGE: string}} known
 * @param {(chosen: object) => Promise<number>} main resolves to the exit code
 */
async function program({ parseArguments, USAGE }, main) {
  try {
    const chosen = parseArguments(process.argv.slice(2))
    if (chosen.help) process.stdout.write(`${USAGE}\n`)
    else process.exitCode = await main(chosen)
  } catch (error) {
    const wrong = error instanceof WrongArguments
    process.stderr.write(`${wrong ? error.message : error.stack}\n`)
    process.exitCode = wrong ? 2 : 1
  }
}

module.exports = { MOST_SEED, WrongArguments, newSeed, program, whole, wordsOf }
