'use strict'

// One emulator for one test file, and the people of its tests. Each test works with a user and a calendar of its own,
// so that what the server holds afterwards can be counted.

const { startEmulator } = require('../../lib/testing')
const { CalendarService } = require('../../index.js')
const { until } = require('./until')

/**
 * Starts an emulator before a file's tests and ends it after them. `stage.google` is its handle; the services that
 * `stage.service()` makes are closed before that.
 */
function setStage(options) {
  const services = []
  let people = 0
  const stage = {
    google: null,

    /** A new user with an empty calendar: what `addUser` gives, and `calendarId`. */
    async user(more = {}) {
      people += 1
      const user = await stage.google.addUser({ email: `teacher${people}@school.test`, ...more })
      return { ...user, calendarId: user.email }
    },

    /** A service over the emulator. */
    service(config = {}) {
      const service = new CalendarService({ ...stage.google.config, ...config })
      services.push(service)
      return service
    },

    /** What the calendar of `user` holds that is not cancelled. */
    live: (user) => stage.google.events(user.calendarId, { live: true }),

    /** The requests that reached the server with this user's token, oldest first. */
    requestsOf: (user) => stage.google.requests({ user: user.email }),

    /** A fault for one user only. `rule` is as in `surecal/testing`. */
    faultFor: (user, rule) => stage.google.fault({ ...rule, match: { ...rule.match, user: user.email } }),
  }

  beforeAll(async () => {
    stage.google = await startEmulator(options)
  })
  // Not after each test: tests of one file may run at the same time. A fault concerns one user, and so one test.
  afterAll(async () => {
    await Promise.all(services.map((service) => service.close({ drainMs: 0 })))
    await stage.google?.close()
  })
  return stage
}

module.exports = { setStage, until }
