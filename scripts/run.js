'use strict'

const { spawn } = require('node:child_process')
const { ROOT } = require('./paths')

/** In a log that is no terminal, a long step says that often that it is alive. */
const SIGN_OF_LIFE_MS = 10000

const seconds = (startedAt) => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`
const say = (line) => process.stderr.write(`surecal: ${line}\n`)

/** A step that failed; the message is for people, and there is no stack to print. */
class StepFailed extends Error {}

/**
 * Runs a command with its output shown.
 *
 * @param {string} title what is being done, in words
 * @param {string} command
 * @param {string[]} args
 * @param {{env?: object, quietly?: boolean}} [options] `quietly`: no lines of our own
 * @returns {Promise<number>} the exit code
 */
function run(title, command, args, { env = process.env, quietly = false } = {}) {
  const startedAt = performance.now()
  if (!quietly) say(`${title} …`)
  const alive =
    quietly || process.stderr.isTTY
      ? undefined
      : setInterval(() => say(`${title}: still at it after ${seconds(startedAt)}`), SIGN_OF_LIFE_MS)
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, env, stdio: 'inherit' })
    child.on('error', (error) => {
      clearInterval(alive)
      reject(new StepFailed(`${title}: ${command} could not be started (${error.code}).`))
    })
    child.on('close', (code, signal) => {
      clearInterval(alive)
      if (!quietly)
        say(
          `${title}: ${code === 0 ? 'done' : `failed (${signal ?? `exit code ${code}`})`} after ${seconds(startedAt)}`,
        )
      resolve(code ?? 1)
    })
  })
}

/** As `run`, but anything else than success ends the script. */
async function must(title, command, args, options) {
  const code = await run(title, command, args, options)
  if (code !== 0) throw new StepFailed(`${title} failed with exit code ${code}; its own words are above.`)
}

/** Node's `parseArgs` found an argument that the script does not know, or one without its value. */
const isWrongArgument = (error) => String(error?.code).startsWith('ERR_PARSE_ARGS_')

/** Runs a script's main function and sets the exit code: 2 where an argument is wrong, which the message names. */
function script(main) {
  main().then(
    (code) => {
      process.exitCode = code ?? 0
    },
    (error) => {
      const wrong = isWrongArgument(error)
      if (wrong) say(`${error.message}. README.md, “See it, test it”, has the options.`)
      else say(error instanceof StepFailed ? error.message : (error?.stack ?? String(error)))
      process.exitCode = wrong ? 2 : 1
    },
  )
}

module.exports = { StepFailed, run, must, say, script }
