'use strict'

const { CODE_FACTS, OUTCOMES } = require('./constants')

/** The same symbol in every copy of the package and in every realm: `instanceof` knows only its own. */
const BRAND = Symbol.for('surecal.CalendarError')

/** What became of the rest of a call over several events: ids. Calls that undo by themselves always tell. */
const UNDO_LISTS = ['rolledBack', 'rollbackPending', 'rollbackFailed', 'notReached']
const UNDOING = ['enroll', 'transaction']

const STACK_HEADER = /^[^\n]*\n?/

/** Text, whole numbers and truth values only: nothing else may cross from an error text into an error. */
const textOr = (value, otherwise) => (typeof value === 'string' && value !== '' ? value : otherwise)
const textsOr = (value) => (Array.isArray(value) && value.every((text) => textOr(text, null)) ? value : undefined)
const countOr = (value, otherwise) => (Number.isFinite(value) && value >= 0 ? value : otherwise)

/**
 * The one error type. Messages are made of fixed words, field names, numbers and Google's reason words: no token, no
 * address, no event text.
 */
class CalendarError extends Error {
  /**
   * @param {object} fields `code` and `message` at least
   * @param {object} [more] `cause`: what the caller's own callback threw; `site`: where the caller called (an object
   *   that `Error.captureStackTrace` filled)
   */
  constructor(fields, more = {}) {
    super(fields.message)
    const facts = CODE_FACTS.get(fields.code) ?? { http: 500, retryable: false }
    this.code = fields.code
    this.errorCode = fields.code
    this.outcome = fields.outcome ?? 'not-sent'
    this.retryable = fields.retryable ?? facts.retryable
    this.requiresReauth = fields.requiresReauth ?? fields.code === 'GOOGLE_AUTH_REQUIRED'
    this.operation = fields.operation ?? null
    this.eventId = fields.eventId ?? null
    this.status = fields.status ?? null
    this.reason = fields.reason ?? null
    this.attempts = fields.attempts ?? 0
    this.elapsedMs = fields.elapsedMs ?? 0
    if (fields.field) this.field = fields.field
    for (const name of UNDO_LISTS) {
      const list = fields[name] ?? (UNDOING.includes(this.operation) ? [] : undefined)
      if (list) this[name] = list
    }
    // For handlers written for Google's client. Not enumerable: it says nothing new in a log.
    hidden(this, 'response', responseOf(this, facts.http))
    if (more.cause !== undefined) hidden(this, 'cause', more.cause)
    if (more.site) hidden(this, 'stack', `${this.name}: ${this.message}\n${framesOf(more.site)}`)
  }

  /** Whether `value` is a CalendarError, also one of another copy of the package or of another realm. */
  static is(value) {
    try {
      return value !== null && typeof value === 'object' && value[BRAND] === true
    } catch {
      return false // A proxy or getter that throws is no error of ours.
    }
  }

  toJSON() {
    const { code, outcome, message, retryable, requiresReauth, operation, eventId, status, reason } = this
    const { attempts, elapsedMs, field } = this
    return {
      name: this.name,
      code,
      outcome,
      message,
      retryable,
      requiresReauth,
      operation,
      eventId,
      status,
      reason,
      attempts,
      elapsedMs,
      ...(field ? { field } : {}),
      ...Object.fromEntries(UNDO_LISTS.filter((name) => this[name]).map((name) => [name, this[name]])),
    }
  }
}

hidden(CalendarError.prototype, 'name', 'CalendarError')
hidden(CalendarError.prototype, BRAND, true)

function hidden(object, key, value) {
  Object.defineProperty(object, key, { value, enumerable: false, writable: true, configurable: true })
}

/** The same error, with the call's `options.context`: for whoever handles it. No log or JSON of the error shows it. */
function withContext(error, context) {
  hidden(error, 'context', context ?? null)
  return error
}

/** The V8 frames of a captured site, without its first line. */
function framesOf(site) {
  return typeof site.stack === 'string' ? site.stack.replace(STACK_HEADER, '') : ''
}

/** The shape Google's client gives its errors, with our message in it and never Google's body. */
function responseOf(error, http) {
  const status = error.status ?? http
  const { message, reason } = error
  // Google's token endpoint names the fault in a string, its Calendar API in an object; old handlers test for either.
  if (reason === 'invalid_grant') return { status, data: { error: reason, error_description: message } }
  return { status, data: { error: { code: status, message, errors: [{ reason: reason ?? error.code, message }] } } }
}

/** Wrong input of the caller: nothing was sent. `what` never repeats the value. */
function validation(field, what) {
  return new CalendarError({
    code: 'VALIDATION_FAILED',
    outcome: 'not-sent',
    message: `${field} ${what}. Nothing was sent to Google; correct the input and call again.`,
    field,
  })
}

/** A configuration that cannot be used. */
function configuration(message, more) {
  return new CalendarError({ code: 'CONFIGURATION', outcome: 'not-sent', message }, more)
}

/** The facts of a native rejection: the JSON text in its message. `null` when it is anything else. */
function factsOf(nativeError) {
  let facts
  try {
    facts = JSON.parse(nativeError.message)
  } catch {
    return null
  }
  if (facts === null || typeof facts !== 'object') return null
  if (!CODE_FACTS.has(facts.code) || !OUTCOMES.includes(facts.outcome)) return null
  if (typeof facts.message !== 'string') return null
  return {
    code: facts.code,
    outcome: facts.outcome,
    message: facts.message,
    retryable: facts.retryable === true,
    requiresReauth: facts.requiresReauth === true,
    operation: textOr(facts.operation, null),
    eventId: textOr(facts.eventId, null),
    status: countOr(facts.status, null),
    reason: textOr(facts.reason, null),
    attempts: countOr(facts.attempts, 0),
    elapsedMs: countOr(facts.elapsedMs, 0),
    field: textOr(facts.field, undefined),
    ...Object.fromEntries(UNDO_LISTS.map((name) => [name, textsOr(facts[name])])),
  }
}

/**
 * A CalendarError of whatever the native part rejected with. The native error itself goes no further: a panic's text
 * or a napi conversion message may hold a value of the caller's.
 *
 * @param {unknown} nativeError
 * @param {object} call `operation`, `site`, `elapsedMs`, `mayHaveWritten`
 */
function fromNative(nativeError, { operation = null, site, elapsedMs = 0, mayHaveWritten = false } = {}) {
  const facts = factsOf(nativeError) ?? {
    code: 'INTERNAL',
    outcome: mayHaveWritten ? 'unknown' : 'not-sent',
    message: 'surecal met an internal fault: the native part failed without saying why. Please report it.',
    elapsedMs,
  }
  return new CalendarError({ ...facts, operation: facts.operation ?? operation }, { site })
}

/** The same error, told of one call: its operation, its time and the caller's stack. */
function ofCall(error, { operation, site, elapsedMs, eventId, opening = '' }) {
  return new CalendarError(
    {
      ...error.toJSON(),
      message: error.message.startsWith(opening) ? error.message : `${opening}${error.message}`,
      operation: error.operation ?? operation,
      eventId: error.eventId ?? eventId,
      elapsedMs: error.elapsedMs || elapsedMs,
    },
    { site, cause: error.cause },
  )
}

/** Pages of a list that would never end. */
function repeatedPage() {
  return new CalendarError({
    code: 'SERVER_ERROR',
    outcome: 'not-sent',
    message: 'Google returned the same page token twice; the list was stopped.',
  })
}

module.exports = { CalendarError, validation, configuration, fromNative, ofCall, repeatedPage, withContext }
