'use strict'

const { CalendarService } = require('surecal')
const { undoHandlers } = require('./undo')

/**
 * The file that replaces a hand-written service: surecal with this backend's people, tokens and log behind it.
 *
 * @param {object} given
 * @param {import('../repository/open').Repository} given.repository
 * @param {object} given.google what `google/real.js` or `google/emulated.js` say of the server and the OAuth client
 * @param {import('surecal').Store} given.store where open work is kept; the processes of one backend share it
 * @param {import('surecal').Logger} [given.logger]
 * @param {object} [given.settings] further settings of the service, such as its time limits
 * @param {(service: object) => object} [given.behind] puts something in front of the service, such as `migrate`
 */
function googleCalendarService({ repository, google, store, logger, settings, behind = (service) => service }) {
  const service = new CalendarService({
    ...google.config,
    ...settings,
    store,
    logger,
    resolveCalendar: async (userId) => {
      const { timeZone } = await repository.person(userId)
      return { calendarId: 'primary', timeZone }
    },
    tokenStore: { load: repository.tokensOf, save: repository.saveTokens },
    onOperation: (record) => repository.addLogEntry(logEntry(record)),
    undo: undoHandlers({ repository, calendar: () => service }),
  })
  return behind(service)
}

/** What is worth keeping for years: no event text, and nobody's address. */
const logEntry = ({
  userId,
  operation,
  status,
  context,
  googleEventId,
  attempts,
  executionTimeMs,
  errorCode,
  settled,
}) => ({
  at: new Date().toISOString(),
  userId,
  operation,
  what: context?.what ?? operation.toLowerCase().replaceAll('_', ' '),
  status,
  eventId: googleEventId,
  attempts: attempts ?? 0,
  elapsedMs: Math.round(executionTimeMs ?? 0),
  errorCode,
  settled: settled ?? null,
})

module.exports = { googleCalendarService }
