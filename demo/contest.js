'use strict'

const { audit, exitCodeOf, isPerfect } = require('./audit')
const { beforeEnrollment } = require('./before_enrollment')
const { openContestant } = require('./contestant')
const { courses } = require('./courses')
const { evidence } = require('./evidence')
const { meaning, opening } = require('./meaning')
const { startProgress } = require('./progress')
const { school } = require('./school')
const { surecalService } = require('./surecal_service')
const { inkFor, table } = require('./table')

const SERVICES = { before: beforeEnrollment, surecal: surecalService }

/** The same for both at the same time; the results by name. */
async function forBoth(work) {
  const results = await Promise.all(Object.keys(SERVICES).map(async (name) => [name, await work(name)]))
  return Object.fromEntries(results)
}

/** Who clicks: the classes to be created, and the courses with their students. */
const planOf = (seed, classes) => ({ seed, lessons: school(seed, classes), courses: courses(seed, classes) })

const clicksIn = ({ lessons, courses: open }) =>
  lessons.length + open.reduce((sum, { students }) => sum + students.length, 0)

/**
 * Lets everybody click in both, waits until both are at rest, and asks both servers.
 *
 * @returns {Promise<{audits: {before: object, surecal: object}, underWay: {before: number, surecal: number}}>}
 */
async function compete(contestants, plan, { out, beforeAudit }) {
  const progress = startProgress(out, clicksIn(plan))
  try {
    const answers = await forBoth((name) => contestants[name].clickAll(() => progress.oneDone(name)))
    progress.settling()
    const underWay = await forBoth((name) => contestants[name].settle())
    await beforeAudit({ before: contestants.before.google, surecal: contestants.surecal.google }, plan)
    const audits = await forBoth((name) => audit(contestants[name].google, plan, answers[name]))
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
 * @param {(googles: {before: object, surecal: object}, plan: object) => Promise<unknown>} [options.beforeAudit] for
 *   tests: may change what is in the calendars
 * @param {() => Promise<unknown>} [options.keepOpen] called when all is said; surecal's dashboard is up until it resolves
 * @returns {Promise<number>} the exit code: 0 only if surecal was perfect and the old service made a duplicate
 */
async function contest({
  seed,
  classes,
  out = process.stdout,
  beforeAudit = async () => {},
  keepOpen = async () => {},
}) {
  const say = (text = '') => out.write(`${text}\n`)
  const plan = planOf(seed, classes)
  say(`\n${opening(plan)}\n`)
  const contestants = await forBoth((name) => openContestant(plan, SERVICES[name]))
  try {
    say(`  surecal's dashboard, while it runs: ${contestants.surecal.dashboardUrl}\n`)
    const { audits, underWay } = await compete(contestants, plan, { out, beforeAudit })
    say(`\n${table(audits, inkFor(out))}\n\n${meaning(audits)}\n`)
    if (!isPerfect(audits.surecal)) say(`${await evidence(contestants.surecal.google, audits.surecal)}\n`)
    const restless = Object.entries(underWay).filter(([, count]) => count > 0)
    for (const [name, count] of restless) {
      say(`  ${name} did not come to rest: ${count} late writes or clean-ups are under way. That is a failure.\n`)
    }
    say(`  Again with the same classes and faults: npm run demo -- --seed ${seed}`)
    await keepOpen({ dashboardUrl: contestants.surecal.dashboardUrl, say })
    return restless.length > 0 ? 1 : exitCodeOf(audits)
  } finally {
    await forBoth((name) => contestants[name].close())
  }
}

module.exports = { contest }
