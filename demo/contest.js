'use strict'

const { audit, exitCodeOf, isPerfect } = require('./audit')
const { beforeService } = require('./before_service')
const { openContestant } = require('./contestant')
const { evidence } = require('./evidence')
const { meaning, opening } = require('./meaning')
const { startProgress } = require('./progress')
const { school } = require('./school')
const { surecalService } = require('./surecal_service')
const { inkFor, table } = require('./table')

const SERVICES = { before: beforeService, surecal: surecalService }

/** The same for both at the same time; the results by name. */
async function forBoth(work) {
  const results = await Promise.all(Object.keys(SERVICES).map(async (name) => [name, await work(name)]))
  return Object.fromEntries(results)
}

/**
 * Creates the classes through both, waits until both are at rest, and asks both servers.
 *
 * @returns {Promise<{audits: {before: object, surecal: object}, underWay: {before: number, surecal: number}}>}
 */
async function compete(contestants, lessons, { out, beforeAudit }) {
  const progress = startProgress(out, lessons.length)
  try {
    const answers = await forBoth((name) => contestants[name].createAll(() => progress.oneDone(name)))
    progress.settling()
    const underWay = await forBoth((name) => contestants[name].settle())
    await beforeAudit({ before: contestants.before.google, surecal: contestants.surecal.google }, lessons)
    const audits = await forBoth((name) => audit(contestants[name].google, lessons, answers[name]))
    return { audits, underWay }
  } finally {
    progress.stop()
  }
}

/**
 * Runs both, side by side in time so that it is soon over, and prints the table.
 *
 * @param {object} options
 * @param {number} options.seed
 * @param {number} options.classes
 * @param {NodeJS.WritableStream} [options.out]
 * @param {(googles: {before: object, surecal: object}, lessons: object[]) => Promise<unknown>} [options.beforeAudit] for
 *   tests: may change what is in the calendars
 * @returns {Promise<number>} the exit code: 0 only if surecal was perfect and the old service made a duplicate
 */
async function contest({ seed, classes, out = process.stdout, beforeAudit = async () => {} }) {
  const say = (text = '') => out.write(`${text}\n`)
  const lessons = school(seed, classes)
  say(`\n${opening({ seed, classes })}\n`)
  const contestants = await forBoth((name) => openContestant(seed, lessons, SERVICES[name]))
  try {
    const { audits, underWay } = await compete(contestants, lessons, { out, beforeAudit })
    say(`\n${table(audits, inkFor(out))}\n\n${meaning(audits)}\n`)
    if (!isPerfect(audits.surecal)) say(`${await evidence(contestants.surecal.google, audits.surecal)}\n`)
    const restless = Object.entries(underWay).filter(([, count]) => count > 0)
    for (const [name, count] of restless) {
      say(`  ${name} did not come to rest: ${count} late writes or clean-ups are under way. That is a failure.\n`)
    }
    say(`  Again with the same classes and faults: npm run demo -- --seed ${seed}`)
    return restless.length > 0 ? 1 : exitCodeOf(audits)
  } finally {
    await forBoth((name) => contestants[name].close())
  }
}

module.exports = { contest }
