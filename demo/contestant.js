'use strict'

const { once } = require('node:events')
const { setTimeout: sleep } = require('node:timers/promises')
const { OAuth2Client } = require('google-auth-library')
const { startEmulator } = require('../lib/testing')
const { classApp } = require('./app')
const { createByDoubleClick, enrollByClick } = require('./clicks')
const { courseFaultsFor, faultsFor, tokenFaultsFor } = require('./faults')
const { LATENCY_MS, SETTLE_LIMIT_MS, SETTLE_POLL_MS, TOKENS_EXPIRE_AFTER_MS } = require('./limits')

/** A Google Calendar of its own, with the teachers and their courses in it and the seed's faults. */
async function openGoogle({ seed, lessons, courses }) {
  const google = await startEmulator({ seed, latencyMs: LATENCY_MS })
  const teachers = [...lessons, ...courses]
  const auths = new Map()
  for (const { teacher, timeZone } of teachers) {
    const { credentials } = await google.addUser({ email: teacher, timeZone })
    const auth = new OAuth2Client({ ...google.config, endpoints: { oauth2TokenUrl: google.tokenUrl } })
    auth.setCredentials(credentials)
    auths.set(teacher, auth)
  }
  for (const course of courses) {
    for (const lesson of course.lessons) await google.putEvent(course.teacher, lesson)
  }
  await google.fault([
    ...faultsFor(seed, lessons),
    ...courseFaultsFor(seed, courses),
    ...tokenFaultsFor(
      seed,
      teachers.map(({ teacher }) => teacher),
    ),
  ])

  return {
    google,
    authOf: (teacher) => auths.get(teacher),

    /** The hour of every access token is over, and its holder can see so. */
    async expireTokens() {
      await google.expireTokens()
      for (const auth of auths.values()) auth.setCredentials({ ...auth.credentials, expiry_date: Date.now() })
    },
  }
}

const resolveCalendar = async () => ({
  calendarId: 'primary',
  calendarType: 'primary',
  secondaryCalendarId: null,
  subscriptionPlan: 'school',
})

/**
 * One of the two: a Google, a service and an Express app that listens.
 *
 * @param {object} plan
 * @param {number} plan.seed
 * @param {ReturnType<import('./school').school>} plan.lessons
 * @param {ReturnType<import('./courses').courses>} plan.courses
 * @param {(given: {config: object, rootUrl: string, resolveCalendar: Function}) => object} makeService
 */
async function openContestant(plan, makeService) {
  const { lessons, courses } = plan
  const { google, authOf, expireTokens } = await openGoogle(plan)
  const service = makeService({ config: google.config, rootUrl: google.url, resolveCalendar })
  const idsOf = new Map(courses.map((course) => [course.teacher, course.lessons.map(({ id }) => id)]))
  const app = classApp({ GoogleCalendarService: service, authOf, lessonsOf: (teacher) => idsOf.get(teacher) })
  if (service.dashboard) app.use('/dashboard', service.dashboard({ authorize: false }))
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const appUrl = `http://127.0.0.1:${server.address().port}`

  return {
    google,
    dashboardUrl: service.dashboard ? `${appUrl}/dashboard` : null,

    /** Everybody clicks; the answers, class by class, and student by student of each course. */
    async clickAll(onDone = () => {}) {
      const noted = async (answers) => {
        await answers
        onDone()
        return answers
      }
      const created = lessons.map((lesson) => noted(createByDoubleClick(appUrl, lesson)))
      const enrolled = courses.map(({ teacher, students }) =>
        Promise.all(students.map((student) => noted(enrollByClick(appUrl, teacher, student)))),
      )
      const expired = sleep(TOKENS_EXPIRE_AFTER_MS).then(expireTokens)
      const [classes, enrollments] = await Promise.all([Promise.all(created), Promise.all(enrolled), expired])
      return { classes, enrollments }
    },

    /**
     * Waits until nothing is under way any more: late writes in Google, clean-up in the service.
     *
     * @returns {Promise<number>} how much is under way still when the wait is over
     */
    async settle() {
      const giveUpAt = performance.now() + SETTLE_LIMIT_MS
      for (;;) {
        const { held } = await google.counts()
        const open = service.pending ? await service.pending() : []
        const underWay = held + open.length
        if (underWay === 0 || performance.now() > giveUpAt) return underWay
        await sleep(SETTLE_POLL_MS)
      }
    },

    async close() {
      server.closeAllConnections()
      await once(server.close(), 'close')
      await service.close?.()
      await google.close()
    },
  }
}

module.exports = { openContestant }
