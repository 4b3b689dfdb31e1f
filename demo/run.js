'use strict'

// `npm run demo`: creates the same classes, through the same faults, once with the usual hand-written service and once
// with surecal, and asks the server what is true.

const { parseArguments, WrongArguments, USAGE } = require('./arguments')
const { audit, exitCodeOf, isPerfect } = require('./audit')
const { beforeService } = require('./before_service')
const { openContestant } = require('./contestant')
const { evidence } = require('./evidence')
const { WHOLE_LIMIT_MS } = require('./limits')
const { meaning, wrapped } = require('./meaning')
const { startProgress } = require('./progress')
const { school } = require('./school')
const { surecalService } = require('./surecal_service')
const { inkFor, table } = require('./table')

const SERVICES = { before: beforeService, surecal: surecalService }

/**
 * Runs both and prints the table.
 *
 * @param {object} options
 * @param {number} options.seed
 * @param {number} options.classes
 * @param {NodeJS.WriteStream} [options.out]
 * @param {(googles: {before: object, surecal: object}, lessons: object[]) => Promise<void>} [options.beforeAudit] for
 *   tests: may change what is in the calendars
 * @returns {Promise<number>} the exit code: 0 only if surecal was perfect and the old service made a duplicate
 */
async function demo({ seed, classes, out = process.stdout, beforeAudit = async () => {} }) {
  const say = (text = '') => out.write(`${text}\n`)
  const lessons = school(seed, classes)
  const names = Object.keys(SERVICES)
  const forBoth = async (work) =>
    Object.fromEntries(await Promise.all(names.map(async (name) => [name, await work(name)])))

  say()
  say(
    wrapped(
      `surecal demo, seed ${seed}: ${classes} classes, each created by a double click, on a Google Calendar that
loses requests and replies, hangs, refuses, drops and garbles.`.replace('\n', ' '),
    ),
  )
  const contestants = await forBoth((name) => openContestant(seed, lessons, SERVICES[name]))
  const progress = startProgress(out, classes)
  let audits
  try {
    const answers = await forBoth((name) => contestants[name].createAll(() => progress.oneDone(name)))
    progress.settling()
    await forBoth((name) => contestants[name].settle())
    const googles = { before: contestants.before.google, surecal: contestants.surecal.google }
    await beforeAudit(googles, lessons)
    audits = await forBoth((name) => audit(googles[name], lessons, answers[name]))
  } finally {
    progress.stop()
  }
  say()
  say(table(audits, inkFor(out)))
  say()
  say(meaning(audits))
  say()
  if (!isPerfect(audits.surecal)) say(await evidence(contestants.surecal.google, audits.surecal))
  say(`  Again with the same classes and faults: npm run demo -- --seed ${seed}`)
  await forBoth((name) => contestants[name].close())
  return exitCodeOf(audits)
}

/** As a program. */
async function main(words) {
  const chosen = parseArguments(words)
  if (chosen.help) {
    process.stdout.write(`${USAGE}\n`)
    return 0
  }
  const watchdog = setTimeout(() => {
    process.stderr.write(`\nsurecal demo: not done after ${WHOLE_LIMIT_MS / 1000} s, given up (seed ${chosen.seed}).\n`)
    process.exit(1)
  }, WHOLE_LIMIT_MS)
  try {
    return await demo(chosen)
  } finally {
    clearTimeout(watchdog)
  }
}

module.exports = { demo }

if (require.main === module) {
  main(process.argv.slice(2)).then(
    (code) => {
      process.exitCode = code
    },
    (error) => {
      const wrong = error instanceof WrongArguments
      process.stderr.write(`${wrong ? error.message : error.stack}\n`)
      process.exitCode = wrong ? 2 : 1
    },
  )
}
