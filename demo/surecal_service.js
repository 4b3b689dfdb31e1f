'use strict'

const { CalendarService } = require('..')
const { EXCHANGE_LIMIT_MS } = require('./limits')

/**
 * The service that replaces it. All limits but the one shortened for both are surecal's own defaults.
 *
 * @param {{config: object, resolveCalendar: (userId: string) => Promise<object>}} given
 */
function surecalService({ config, resolveCalendar }) {
  return new CalendarService({ ...config, resolveCalendar, attemptTimeoutMs: EXCHANGE_LIMIT_MS })
}

module.exports = { surecalService }
