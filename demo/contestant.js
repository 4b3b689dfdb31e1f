'use strict'

const { once } = require('node:events')
const { setTimeout: sleep } = require('node:timers/promises')
const { OAuth2Client } = require('google-auth-library')
const { startEmulator } = require('../lib/testing')
const { classApp } = require('./app')
const { createByDoubleClick } = require('./clicks')
const { faultsFor } = require('./faults')
const { LATENCY_MS, SETTLE_LIMIT_MS, SETTLE_POLL_MS } = require('./limits')

/** A Google Calendar of its own, with the teachers in it and the seed's faults. */
async function openGoogle(seed, lessons) {
  const google = await startEmulator({ seed, latencyMs: LATENCY_MS })
  const auths = new Map()
  for (const { teacher, timeZone } of lessons) {
    const { credentials } = await google.addUser({ email: teacher, timeZone })
    const auth = new OAuth2Client(google.config)
    auth.setCredentials(credentials)
    auths.set(teacher, auth)
  }
  await google.fault(faultsFor(seed, lessons))
  return { google, authOf: (teacher) => auths.get(teacher) }
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
 * @param {number} seed
 * @param {ReturnType<import('./school').school>} lessons
 * @param {(given: {config: object, rootUrl: string, resolveCalendar: Function}) => object} makeService
 */
async function openContestant(seed, lessons, makeService) {
  const { google, authOf } = await openGoogle(seed, lessons)
  const service = makeService({ config: google.config, rootUrl: google.url, resolveCalendar })
  const server = classApp({ GoogleCalendarService: service, authOf }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const appUrl = `http://127.0.0.1:${server.address().port}`

  return {
    google,

    /** Creates all classes; the answers, class by class. */
    createAll(onClassDone = () => {}) {
      return Promise.all(
        lessons.map(async (lesson) => {
          const answers = await createByDoubleClick(appUrl, lesson)
          onClassDone()
          return answers
        }),
      )
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
