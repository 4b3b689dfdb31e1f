'use strict'

const { lessonsApp } = require('./app')
const { googleCalendarService } = require('./calendar/googleCalendarService')
const { reminderService } = require('./notifications/reminders')
const { PEOPLE } = require('./people')
const { signedCookies } = require('./session/cookies')

/**
 * Everything put together, without a port: `{ app, calendar, reminders, close }`.
 *
 * @param {object} given
 * @param {import('./repository/open').Repository} given.repository
 * @param {object} given.google
 * @param {import('surecal').Store} [given.store]
 * @param {object[]} [given.people]
 * @param {{secret?: string, secure?: boolean}} [given.cookie]
 * @param {import('surecal').Logger} [given.logger]
 * @param {object} [given.settings] see `googleCalendarService`, as the next
 * @param {(service: object) => object} [given.behind]
 */
async function openBackend({
  repository,
  google,
  store = 'memory',
  people = PEOPLE,
  cookie,
  logger,
  ...calendarOptions
}) {
  for (const person of people) await repository.addPerson(person)
  const calendar = googleCalendarService({ repository, google, store, logger, ...calendarOptions })
  const reminders = reminderService(repository)
  const backend = { calendar, repository, reminders, google, logger, cookies: signedCookies(cookie) }
  reminders.start((error) => logger?.error?.('reminders could not be sent', { error: error.name }))
  return {
    app: lessonsApp(backend),
    calendar,
    reminders,
    /** Resolves to the clean-up that is still open; with a store of its own another process takes it up. */
    async close() {
      reminders.stop()
      const open = await calendar.close({ drainMs: 8000 })
      await repository.close()
      return open
    },
  }
}

module.exports = { openBackend }
