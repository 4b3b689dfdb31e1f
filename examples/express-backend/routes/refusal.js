'use strict'

/** An answer that this backend gives by itself: its status, and a code and a message for the page. */
class Refusal extends Error {
  name = 'Refusal'

  constructor(status, code, message, more = {}) {
    super(message)
    Object.assign(this, { status, code, more })
  }
}

/** Express error middleware, the last one: refusals as JSON, and anything else without its words. */
const answerErrors = (logger) => (error, _req, res, next) => {
  if (res.headersSent) return next(error)
  if (error instanceof Refusal) {
    const { status, code, message, more } = error
    return res.status(status).json({ status: 'error', code, message, ...more })
  }
  // What express.json finds wrong with a body.
  if (error.expose === true) {
    return res.status(error.status).json({ status: 'error', code: 'WRONG_INPUT', message: 'This is not a request.' })
  }
  logger?.error?.('a request failed', { error: error.name, at: error.stack?.split('\n')[1]?.trim() })
  res.status(500).json({ status: 'error', code: 'INTERNAL', message: 'Something is broken here. It was written down.' })
}

module.exports = { Refusal, answerErrors }
