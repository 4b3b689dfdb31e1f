'use strict'

const { CODE_FACTS } = require('../constants')

/** Seconds after which it makes sense to try again, where the answer to come depends on time alone. */
const RETRY_AFTER_S = Object.freeze({
  IDEMPOTENCY_IN_PROGRESS: 1,
  RATE_LIMITED: 5,
  STORE_UNAVAILABLE: 2,
  OVERLOADED: 1,
})

/** The body of an answer that tells of a CalendarError. Its message is made to be shown. */
function errorBody({ code, message, retryable, requiresReauth, outcome, eventId }) {
  return { status: 'error', code, message, retryable, requiresReauth, outcome, ...(eventId ? { eventId } : {}) }
}

/**
 * The answer that tells of a CalendarError: `{ status, headers, body }`.
 *
 * @param {object} error
 * @param {{problem?: boolean, retryAfterS?: number, body?: object}} [more] `problem`: as problem+json (RFC 9457);
 *   `body`: instead of the usual one
 */
function errorAnswer(error, { problem = false, retryAfterS = RETRY_AFTER_S[error.code], body } = {}) {
  const status = CODE_FACTS.get(error.code)?.http ?? 500
  return {
    status,
    headers: {
      'Content-Type': problem ? 'application/problem+json' : 'application/json; charset=utf-8',
      ...(retryAfterS === undefined ? {} : { 'Retry-After': String(retryAfterS) }),
    },
    body: problem ? problemOf(error, status, retryAfterS) : (body ?? errorBody(error)),
  }
}

/** Sends an answer by the app's own `res.json`. */
function send(res, { status, headers, body }) {
  res.status(status).set(headers).json(body)
}

function problemOf(error, status, retryAfterS) {
  const { status: _word, message, ...facts } = errorBody(error)
  const retry = retryAfterS === undefined ? {} : { retryAfter: retryAfterS }
  return { type: 'about:blank', title: titleOf(error.code), status, detail: message, ...facts, ...retry }
}

/** IDEMPOTENCY_KEY_REUSED -> "Idempotency key reused" */
function titleOf(code) {
  const words = code.toLowerCase().replaceAll('_', ' ')
  return words[0].toUpperCase() + words.slice(1)
}

module.exports = { errorAnswer, send }
