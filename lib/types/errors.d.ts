/** What is said of a failure. */

/** Every code of `CalendarError`; the table in docs/reference.md tells the HTTP status and whether it is retryable. */
export type CalendarErrorCode =
  /** 400. The input is wrong; nothing was sent. */
  | 'VALIDATION_FAILED'
  /** 504, retryable. The deadline passed. */
  | 'TIMEOUT'
  /** 502, retryable. The network failed: refused, reset, cut, not JSON. */
  | 'NETWORK_ERROR'
  /** 502, retryable. Google answered 5xx. */
  | 'SERVER_ERROR'
  /** 429, retryable. Google, or the local rate limit, said "slower". */
  | 'RATE_LIMITED'
  /** 429. Google's usage limits, which last for hours. */
  | 'QUOTA_EXCEEDED'
  /** 401. The grant is dead or missing: the user must reconnect. */
  | 'GOOGLE_AUTH_REQUIRED'
  /** 401, retryable. The token could not be refreshed now. */
  | 'GOOGLE_AUTH_FAILED'
  /** 403. Google refuses this user or this scope. */
  | 'PERMISSION_DENIED'
  /** 404. No such event or calendar, or not visible to this user. */
  | 'NOT_FOUND'
  /** 502, retryable. What was written could not be read back as it was asked for. */
  | 'VERIFICATION_FAILED'
  /** 422. One idempotency key was used for two different requests. */
  | 'IDEMPOTENCY_KEY_REUSED'
  /** 409, retryable. The first request with this key is still running. */
  | 'IDEMPOTENCY_IN_PROGRESS'
  /** 409. The calendar is in a state in which the operation makes no sense. */
  | 'CONFLICT'
  /** 412, retryable. The event changed between read and write, more often than is retried. */
  | 'PRECONDITION_FAILED'
  /** 422. Google hides the guest list from this user. */
  | 'ATTENDEES_HIDDEN'
  /** 503, retryable. The store, or a callback of yours that reads one, does not answer. */
  | 'STORE_UNAVAILABLE'
  /** 503, retryable. `limits.maxInFlight` stayed full past the deadline. */
  | 'OVERLOADED'
  /** 499. Your AbortSignal fired. */
  | 'ABORTED'
  /** 503. The service was closed. */
  | 'CLOSED'
  /** 500. The configuration is wrong. */
  | 'CONFIGURATION'
  /** 500. A fault of surecal itself. */
  | 'INTERNAL'

/**
 * "Is it in the calendar?", as far as this process can know.
 * - `not-sent`: nothing of the call ever reached Google.
 * - `rejected`: Google, or a check before the write, refused it; nothing changed.
 * - `unknown`: a write was sent and its fate is not known. A create is settled in the background and listed by `pending()`
 *   until then; after an update or a delete, read the event or call again.
 * - `applied`: the write is in the calendar although the call failed.
 */
export type Outcome = 'not-sent' | 'rejected' | 'unknown' | 'applied'

export interface CalendarErrorJson {
  name: 'CalendarError'
  code: CalendarErrorCode
  outcome: Outcome
  message: string
  retryable: boolean
  requiresReauth: boolean
  operation: string | null
  eventId: string | null
  status: number | null
  reason: string | null
  attempts: number
  elapsedMs: number
  field?: string
}

/** What `errorHandler` and the refusals of `idempotency` say. */
export interface ErrorBody {
  status: 'error'
  code: CalendarErrorCode
  message: string
  retryable: boolean
  requiresReauth: boolean
  outcome: Outcome
  eventId?: string
}
