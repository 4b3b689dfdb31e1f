'use strict'

const { CalendarError } = require('../errors')
const { errorAnswer, send } = require('./error_answer')

/** Express error middleware: answers CalendarErrors with their HTTP status; all others go on. index.d.ts is its manual. */
function errorHandler() {
  // Express tells error middleware by its four parameters.
  return function calendarErrors(error, _req, res, next) {
    if (!CalendarError.is(error) || res.headersSent) return next(error)
    return send(res, errorAnswer(error))
  }
}

module.exports = { errorHandler }
