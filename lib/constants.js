'use strict'

/**
 * Every error code: its name, the HTTP status an Express app answers with, and whether the same call may succeed
 * later without anybody changing anything. The native part has the same table; a test holds them together.
 */
const CODES = Object.freeze([
  ['VALIDATION_FAILED', 400, false],
  ['TIMEOUT', 504, true],
  ['NETWORK_ERROR', 502, true],
  ['SERVER_ERROR', 502, true],
  ['RATE_LIMITED', 429, true],
  ['QUOTA_EXCEEDED', 429, false],
  ['GOOGLE_AUTH_REQUIRED', 401, false],
  ['GOOGLE_AUTH_FAILED', 401, true],
  ['PERMISSION_DENIED', 403, false],
  ['NOT_FOUND', 404, false],
  ['VERIFICATION_FAILED', 502, true],
  ['IDEMPOTENCY_KEY_REUSED', 422, false],
  ['IDEMPOTENCY_IN_PROGRESS', 409, true],
  ['CONFLICT', 409, false],
  ['PRECONDITION_FAILED', 412, true],
  ['ATTENDEES_HIDDEN', 422, false],
  ['STORE_UNAVAILABLE', 503, true],
  ['OVERLOADED', 503, true],
  ['ABORTED', 499, false],
  ['CLOSED', 503, false],
  ['CONFIGURATION', 500, false],
  ['INTERNAL', 500, false],
])

const CALENDAR_ERROR_CODE = Object.freeze(Object.fromEntries(CODES.map(([name]) => [name, name])))

/** @type {ReadonlyMap<string, {http: number, retryable: boolean}>} */
const CODE_FACTS = new Map(CODES.map(([name, http, retryable]) => [name, { http, retryable }]))

const OUTCOMES = Object.freeze(['not-sent', 'rejected', 'unknown', 'applied'])

/** What `onOperation` records call a method. */
const OPERATION_NAMES = Object.freeze({
  createEvent: 'CREATE_EVENT',
  createEvents: 'CREATE_EVENTS',
  verifyEvent: 'VERIFY_EVENT',
  getEvent: 'GET_EVENT',
  listEvents: 'LIST_EVENTS',
  updateEvent: 'UPDATE_EVENT',
  deleteEvent: 'DELETE_EVENT',
  addAttendeeToEvent: 'ADD_ATTENDEE',
  removeAttendeeFromEvent: 'REMOVE_ATTENDEE',
  enroll: 'ENROLL',
  transaction: 'TRANSACTION',
})

const CALENDAR_OPERATION = Object.freeze(Object.fromEntries(Object.values(OPERATION_NAMES).map((name) => [name, name])))

const OPERATION_STATUS = Object.freeze({ SUCCESS: 'SUCCESS', FAILURE: 'FAILURE' })

/** The defaults of `retry`; a service's own figures come from its configuration. */
const CALENDAR_RETRY_CONFIG = Object.freeze({
  MAX_RETRIES: 5,
  BASE_DELAY_MS: 200,
  BACKOFF_MULTIPLIER: 2,
  MAX_DELAY_MS: 5000,
})

/** Milliseconds: the default of `attendees.timeoutMs`, for the change of one attendee. */
const ATTENDEE_TIMEOUT = 5000

/** Milliseconds: the default of `timeoutMs`, for a whole call. */
const CALENDAR_OPERATION_TIMEOUT = 10000

module.exports = {
  CODES,
  CODE_FACTS,
  OUTCOMES,
  OPERATION_NAMES,
  CALENDAR_ERROR_CODE,
  CALENDAR_OPERATION,
  OPERATION_STATUS,
  CALENDAR_RETRY_CONFIG,
  CALENDAR_OPERATION_TIMEOUT,
  ATTENDEE_TIMEOUT,
}
