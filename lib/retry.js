'use strict'

const { setTimeout } = require('node:timers/promises')
const { CalendarError, validation } = require('./errors')
const { CALENDAR_OPERATION_TIMEOUT, CALENDAR_RETRY_CONFIG } = require('./constants')
const { LATE, timedOut, within, withTimeout } = require('./bounded')
const native = require('./native')

const CALL_NAME = 'Google Calendar API call'
const HIGHEST_RETRIES = 100
/** One attempt's part of the whole time, where another may follow; the default of `attemptTimeoutMs`. */
const ATTEMPT_PART = 0.4
const WORD = /^[A-Za-z0-9_.-]{1,64}$/

/** What an old `withTimeout` of the caller's own code throws. */
const OLD_TIMEOUT = /timed out after \d+ ?ms$/

const word = (value) => (typeof value === 'string' && WORD.test(value) ? value : undefined)
const httpStatus = (value) => {
  const number = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value
  return Number.isInteger(number) && number >= 100 && number <= 599 ? number : undefined
}

/**
 * The words and numbers by which an error can be judged, of any client: Google's, axios, fetch, Node's sockets. Never
 * its message or values.
 */
function factsOf(error) {
  const body = error?.response?.data?.error
  const inner = error?.cause
  const facts = {
    status: httpStatus(error?.response?.status) ?? httpStatus(error?.status) ?? httpStatus(error?.code),
    reason: word(error?.reason) ?? word(error?.errors?.[0]?.reason) ?? word(body?.errors?.[0]?.reason) ?? word(body),
    code: httpStatus(error?.code) === undefined ? (word(error?.code) ?? word(inner?.code)) : word(inner?.code),
    name: word(error?.name),
  }
  if (facts.code === undefined && facts.status === undefined && isOldTimeout(error)) facts.code = 'ETIMEDOUT'
  return facts
}

const isOldTimeout = (error) =>
  error?.name === 'TimeoutError' || (typeof error?.message === 'string' && OLD_TIMEOUT.test(error.message))

/** Retry-After of the caller's error, in milliseconds; 0 without one. */
function retryAfterMs(error) {
  const headers = error?.response?.headers
  const value = typeof headers?.get === 'function' ? headers.get('retry-after') : headers?.['retry-after']
  const seconds = Number(value)
  if (value === undefined || value === null || value === '') return 0
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  return Math.max(0, Date.parse(value) - Date.now()) || 0
}

const nothingWritten = (error) => error.outcome === 'not-sent' || error.outcome === 'rejected'

/** The native policy's answer: may it be tried again, and after how long. */
function verdictOn(error, { attempt, idempotent, retry }) {
  const text = native.load().retryVerdict(
    JSON.stringify(factsOf(error)),
    attempt,
    // An error of ours says itself whether the write can have arrived.
    idempotent || (CalendarError.is(error) && nothingWritten(error)),
    retry ? JSON.stringify(retry) : null,
  )
  const verdict = JSON.parse(text)
  return { ...verdict, delayMs: Math.max(verdict.delayMs, retryAfterMs(error)) }
}

/** Whether the same call may be made again as it is. An error of ours carries the answer. */
function isRetryableError(error, { idempotent = false } = {}) {
  if (error === null || error === undefined) return false
  if (CalendarError.is(error)) return error.retryable
  return verdictOn(error, { attempt: 0, idempotent, retry: null }).retry
}

/**
 * Runs `fn` until it succeeds, fails for good, or the whole time is over: at most `maxRetries` repetitions inside
 * `timeoutMs`, not per attempt. Where an attempt's outcome is unknown (timeout, reset, 5xx), only `idempotent` work
 * is repeated.
 *
 * @param {() => unknown} fn
 * @param {number|undefined} maxRetries
 * @param {{idempotent?: boolean}} options
 * @param {{timeoutMs?: number, attemptTimeoutMs?: number, retry?: object}} settings the service's
 */
async function executeWithRetry(fn, maxRetries, options, settings) {
  if (typeof fn !== 'function') throw validation('fn', 'must be a function')
  const { idempotent = false } = options ?? {}
  const retries = maxRetries ?? settings.retry?.maxRetries ?? CALENDAR_RETRY_CONFIG.MAX_RETRIES
  if (!Number.isInteger(retries) || retries < 0 || retries > HIGHEST_RETRIES) {
    throw validation('maxRetries', `must be a whole number from 0 to ${HIGHEST_RETRIES}`)
  }
  const timeoutMs = settings.timeoutMs ?? CALENDAR_OPERATION_TIMEOUT
  const attemptMs = settings.attemptTimeoutMs ?? timeoutMs * ATTEMPT_PART
  const endsAt = performance.now() + timeoutMs
  for (let attempt = 0; ; attempt += 1) {
    const left = endsAt - performance.now()
    // Cutting an attempt short pays only where it may be made again.
    const limit = idempotent && attempt < retries ? Math.min(attemptMs, left) : left
    const failure = await attempted(fn, limit)
    if ('answer' in failure) return failure.answer
    const { error } = failure
    const overall = error === LATE && limit >= left
    if (overall) throw timedOut(CALL_NAME, timeoutMs)
    const known = error === LATE ? timedOut(CALL_NAME, Math.round(limit)) : error
    if (attempt >= retries) throw known
    // Ours were retried inside already; once more only where they say that it may help.
    if (CalendarError.is(known) && !(known.retryable && (idempotent || nothingWritten(known)))) throw known
    const verdict = verdictOn(known, { attempt, idempotent, retry: settings.retry ?? null })
    // A sleep that would pass the deadline is not begun.
    if (!verdict.retry || performance.now() + verdict.delayMs >= endsAt) throw known
    await setTimeout(verdict.delayMs)
  }
}

async function attempted(fn, limit) {
  try {
    const answer = await within((async () => fn())(), limit)
    return answer === LATE ? { error: LATE } : { answer }
  } catch (error) {
    return { error }
  }
}

module.exports = { executeWithRetry, isRetryableError, withTimeout }
