/**
 * surecal: Google Calendar writes that can be believed. This file is the manual of the API.
 *
 * Every time is in milliseconds unless its name says otherwise.
 *
 * @example
 * const { CalendarService } = require('surecal')
 * module.exports = new CalendarService({
 *   resolveCalendar: async (userId) => ({ calendarId: 'primary' }),
 *   onOperation: (record) => CalendarLog.create(record),
 * })
 * // and anywhere:
 * const result = await service.createEvent(userId, auth, eventData, { idempotencyKey })
 */

import type { AttendeeOptions, NewAttendee } from './lib/types/attendees'
import type { Auth, GoogleAuthMiddleware, RefreshOptions, RequireGoogleAuthOptions } from './lib/types/auth'
import type {
  CalendarOperation,
  OperationRecord,
  OperationStatus,
  ResolvedCalendar,
  UserId,
} from './lib/types/callbacks'
import type { CalendarConfig } from './lib/types/configuration'
import type {
  EnrollRequest,
  EnrollResult,
  Transaction,
  TransactionOptions,
  TransactionResult,
} from './lib/types/enroll'
import type { CalendarErrorCode, CalendarErrorJson, Outcome } from './lib/types/errors'
import type { CalendarEvent } from './lib/types/event'
import type { IdempotencyMiddleware, IdempotencyOptions } from './lib/types/idempotency'
import type {
  CallOptions,
  CreateOptions,
  ListQuery,
  UpdateOptions,
  VerifyOptions,
  WriteOptions,
} from './lib/types/options'
import type {
  AddAttendeeResult,
  BatchResult,
  CreateResult,
  DeleteResult,
  GetResult,
  PendingEntry,
  RemoveAttendeeResult,
  UpdateResult,
  VerifyResult,
} from './lib/types/results'
import type { DashboardHandler, DashboardOptions, Health, Metrics } from './lib/types/watching'

export type * from './lib/types/attendees'
export type * from './lib/types/auth'
export type * from './lib/types/callbacks'
export type * from './lib/types/configuration'
export type * from './lib/types/enroll'
export type * from './lib/types/errors'
export type * from './lib/types/event'
export type * from './lib/types/idempotency'
export type * from './lib/types/options'
export type * from './lib/types/results'
export type * from './lib/types/store'
export type * from './lib/types/watching'

// ---------------------------------------------------------------- errors

/**
 * What every rejection is. The message holds no token, no address and no event text: it may be logged and shown.
 *
 * @example
 * try {
 *   await service.createEvent(userId, auth, eventData, { idempotencyKey })
 * } catch (error) {
 *   if (CalendarError.is(error) && error.requiresReauth) return res.redirect('/connect-google')
 *   throw error
 * }
 */
export class CalendarError extends Error {
  /**
   * For the fakes of your own tests; what is left out has the code's usual value, and `outcome` is `not-sent`.
   *
   * @example
   * jest.spyOn(service, 'createEvent').mockRejectedValue(new CalendarError({ code: 'TIMEOUT', message: 'late', outcome: 'unknown' }))
   */
  constructor(
    fields: Pick<CalendarErrorJson, 'code' | 'message'> & Partial<Omit<CalendarErrorJson, 'name'>>,
    more?: { cause?: unknown },
  )
  readonly name: 'CalendarError'
  readonly code: CalendarErrorCode
  /** The same as `code`, for handlers that read the field of failed results. */
  readonly errorCode: CalendarErrorCode
  readonly outcome: Outcome
  /** The same call may succeed later without anybody changing anything. With one idempotency key it is safe as well. */
  readonly retryable: boolean
  /** The user must go through Google's consent again. */
  readonly requiresReauth: boolean
  /** The method that failed: `createEvent`. */
  readonly operation: string | null
  readonly eventId: string | null
  /** Google's HTTP status, if it answered. */
  readonly status: number | null
  /** Google's reason word (`rateLimitExceeded`), if it gave one. */
  readonly reason: string | null
  /** HTTP exchanges begun. */
  readonly attempts: number
  /** From the call to the failure. */
  readonly elapsedMs: number
  /** The field of the input that is wrong (`eventData.start.dateTime`), with VALIDATION_FAILED. */
  readonly field?: string
  /**
   * `createEvents`, `enroll`, `transaction`: ids of events of which everything was undone: made and deleted again, or the
   * attendee taken off again. `enroll` and `transaction` always have this list and the next three.
   */
  readonly rolledBack?: string[]
  /** Ids of events for whose undo no time was left: it goes on, and {@link CalendarService.pending} lists them. */
  readonly rollbackPending?: string[]
  /**
   * Ids of events, and names of steps, whose undo met an error. It goes on as well, but for a step whose undo is a function
   * (`step 1`, counted from 1 over all steps): that is not called again.
   */
  readonly rollbackFailed?: string[]
  /** `enroll`: ids of events that were not worked on any more. */
  readonly notReached?: string[]
  /** `options.context` of the call, or null. Neither `JSON.stringify` nor a log of the error shows it. */
  readonly context?: unknown
  /** What your own callback threw; never an error of the native part or of a Google client. */
  readonly cause?: unknown
  /** For handlers written for Google's client: Google's status (else the code's HTTP status) and a body of its shape. */
  readonly response: { status: number; data: { error: unknown; error_description?: string } }
  /** True also for errors of another copy of the package or of another realm, where `instanceof` fails. */
  static is(value: unknown): value is CalendarError
  /** All fields but `cause`, `response` and the stack. */
  toJSON(): CalendarErrorJson
}

// ---------------------------------------------------------------- the service

/**
 * A service. Methods are bound: `const { createEvent } = service` works. Every method that talks to Google settles
 * within `timeoutMs` plus one second (`createEvents`: half a second more for each event, 60 s at most) and rejects
 * with {@link CalendarError}.
 */
export class CalendarService {
  /** @throws CalendarError CONFIGURATION or VALIDATION_FAILED */
  constructor(config?: CalendarConfig)

  /**
   * Makes one event and reads it back. A failed verification *resolves* with `success: false`, after the event was
   * taken away again; everything else rejects.
   *
   * @example
   * const result = await service.createEvent(userId, oauth2Client, {
   *   summary: 'Algebra',
   *   start: { dateTime: '2027-03-01T10:00:00', timeZone: 'Europe/Berlin' },
   *   end: { dateTime: '2027-03-01T11:00:00', timeZone: 'Europe/Berlin' },
   * }, { idempotencyKey: req.idempotencyKey })
   * if (!result.success) return res.status(502).json({ error: result.error })
   */
  createEvent(userId: UserId, auth: Auth, eventData: CalendarEvent, options?: CreateOptions): Promise<CreateResult>

  /**
   * Makes a class's whole schedule, all or nothing. Event i has the key `idempotencyKey:i`.
   *
   * @example
   * const { success, events, rollbackPending } = await service.createEvents(userId, auth, lessons, { idempotencyKey })
   */
  createEvents(userId: UserId, auth: Auth, eventsData: CalendarEvent[], options?: CreateOptions): Promise<BatchResult>

  /**
   * Compares an event with expected data; only what is given is compared. Never rejects.
   *
   * @example
   * const { verified, mismatches } = await service.verifyEvent(userId, auth, eventId, { summary: 'Algebra' })
   */
  verifyEvent(
    userId: UserId,
    auth: Auth,
    eventId: string,
    expectedData: CalendarEvent,
    options?: VerifyOptions,
  ): Promise<VerifyResult>

  /** @throws CalendarError NOT_FOUND, and the rest of the table */
  getEvent(userId: UserId, auth: Auth, eventId: string, options?: CallOptions): Promise<GetResult>

  /**
   * All events of all pages; a page is read when it is needed, each within `timeoutMs`. Leaving the loop ends it.
   *
   * @example
   * for await (const event of service.listEvents(userId, auth, { timeMin: new Date() })) console.log(event.id)
   */
  listEvents(
    userId: UserId,
    auth: Auth,
    query?: ListQuery | null,
    options?: CallOptions,
  ): AsyncGenerator<CalendarEvent, void, undefined>

  /** Sends only what changed, guarded by the ETag, and reads it back. `null` in `changes` deletes a field. */
  updateEvent(
    userId: UserId,
    auth: Auth,
    eventId: string,
    changes: Partial<{ [Key in keyof CalendarEvent]: CalendarEvent[Key] | null }>,
    options?: UpdateOptions,
  ): Promise<UpdateResult>

  /** An event that is gone already (404, 410) is a success. */
  deleteEvent(userId: UserId, auth: Auth, eventId: string, options?: WriteOptions): Promise<DeleteResult>

  /**
   * Invites somebody to an event, and reads back that they are on its list. Everybody else's entry stays as it is, also
   * when many join at once: changes of one event are merged, in a process, and guarded by the ETag between processes.
   * Who is on the list already is not added again (`alreadyAdded`). Messages of errors begin with `Failed to add attendee: `.
   *
   * The calendar must be the organizer's, and show all guests: else CONFLICT, ATTENDEES_HIDDEN.
   *
   * @example
   * await service.addAttendeeToEvent(eventId, student.email, { userId, auth })
   * await service.addAttendeeToEvent(eventId, student.email) // asks resolveCalendarForEvent
   */
  addAttendeeToEvent(
    eventId: string,
    attendee: string | NewAttendee,
    options?: AttendeeOptions | null,
  ): Promise<AddAttendeeResult>

  /**
   * Takes somebody off an event's list, and reads back that they are gone. Who is not on it is a success
   * (`alreadyRemoved`). Messages of errors begin with `Failed to remove attendee: `.
   *
   * @example
   * await service.removeAttendeeFromEvent(eventId, student.email, { userId, auth, sendUpdates: 'none' })
   */
  removeAttendeeFromEvent(
    eventId: string,
    attendee: string | NewAttendee,
    options?: AttendeeOptions | null,
  ): Promise<RemoveAttendeeResult>

  /**
   * Puts one attendee on every event of a list, or on none. If one refuses, the attendee is taken off again where this call
   * put them (newest first, read back), and stays where they were before. What cannot be undone in time goes on in the
   * background, after a crash in another process, and is listed by `pending()` until then.
   *
   * @example
   * const { events } = await service.enroll({ userId, auth, events: [mondays, fridays], attendee: student.email, idempotencyKey })
   */
  enroll(request: EnrollRequest): Promise<EnrollResult>

  /**
   * Runs a function whose steps stay together: if it throws, or a step fails (also one whose error it catches), or its time
   * is over, everything is undone, newest first, and the call rejects with a CalendarError whose `cause` is what your own
   * code threw. Transactions cannot be nested.
   *
   * @example
   * await service.transaction(async (tx) => {
   *   await tx.step(() => Enrollment.create(row), () => Enrollment.deleteOne(row))
   *   for (const eventId of eventIds) await tx.addAttendee({ eventId, attendee: student.email })
   * }, { userId, auth })
   */
  transaction<Value>(
    work: (tx: Transaction) => PromiseLike<Value> | Value,
    options: TransactionOptions,
  ): Promise<TransactionResult<Value>>

  /**
   * An auth object with a fresh access token of the user's: a real OAuth2Client when google-auth-library is installed
   * (an optional peer dependency), else plain credentials. However many ask at once, Google is asked once.
   *
   * @param user the id under which `tokenStore` knows the user; an e-mail address, say
   * @returns null on failure, unless `throwOnFailure`; then it rejects with GOOGLE_AUTH_REQUIRED (the user must
   * reconnect; `reason` is `invalid_grant` for a grant that is dead), GOOGLE_AUTH_FAILED (it may work later),
   * STORE_UNAVAILABLE or CONFIGURATION
   * @example
   * const oauth2Client = await service.getRefreshedOAuthClient(userEmail, { throwOnFailure: true, requireFresh: true })
   */
  getRefreshedOAuthClient<Client = any>(
    user: UserId,
    options: RefreshOptions & { throwOnFailure: true },
  ): Promise<Client>
  getRefreshedOAuthClient<Client = any>(user: UserId, options?: RefreshOptions): Promise<Client | null>

  /**
   * Express middleware (4 and 5): a request goes on only with a fresh Google token, as `req.googleOAuth2Client` and
   * `req.googleTokenValid`; else it is answered 401 with a {@link GoogleAuthRefusal} and `next` is not called. May be
   * made before `configure()`.
   *
   * @throws CalendarError CONFIGURATION for an option that is unknown or of a wrong type
   * @example
   * router.post('/classes', verifyAuthToken, service.requireGoogleAuth(), addNewClass)
   * // Rollback at run time, for all of them: requests go on, with req.googleTokenError.
   * service.configure({ tokens: { throwOnFailure: false } })
   */
  requireGoogleAuth(options?: RequireGoogleAuthOptions): GoogleAuthMiddleware

  /**
   * Express middleware (4 and 5): one run of the handler for each key of a user. A repetition gets the first answer byte
   * for byte, with `Idempotent-Replayed: true`; 409 and Retry-After while the first still runs; 422 if it asks for
   * something else. The answer is durable before it leaves, however the handler gives it. The handler hands
   * `req.idempotencyKey` on, so that even a lost store makes no second event.
   *
   * It stands after what parses the body and knows the user, and before the check of the Google grant: a 401 is not
   * kept. May be made before `configure()`, and is itself a middleware with the defaults.
   *
   * @throws CalendarError CONFIGURATION for an option that is unknown or wrong
   * @example
   * router.post('/classes', verifyAuthToken, service.idempotency(), service.requireGoogleAuth(), async (req, res) => {
   *   const { idempotencyKey } = req
   *   res.status(201).json(await service.createEvent(req.userId, req.googleOAuth2Client, req.body, { idempotencyKey }))
   * })
   * // Rollback at run time: no request is held back, and what was kept is forgotten.
   * service.configure({ idempotency: { enabled: false } })
   * await service.clearIdempotency()
   */
  idempotency(options?: IdempotencyOptions): IdempotencyMiddleware
  idempotency(req: any, res: any, next: (error?: any) => void): Promise<void> | void

  /** `idempotency` under the name of old routes, which use it without a call. */
  idempotencyMiddleware(options?: IdempotencyOptions): IdempotencyMiddleware
  idempotencyMiddleware(req: any, res: any, next: (error?: any) => void): Promise<void> | void

  /** Forgets every kept answer and every claim, in all processes. @throws CalendarError STORE_UNAVAILABLE */
  clearIdempotency(): Promise<void>

  /**
   * Express error middleware: a CalendarError is answered with its HTTP status, an {@link ErrorBody}, and Retry-After
   * where waiting helps. Other errors, and those after the head has left, go on.
   *
   * @example
   * app.use(service.errorHandler()) // after the routes
   */
  errorHandler(): (error: any, req: any, res: any, next: (error?: any) => void) => void

  /**
   * For call sites not migrated yet: runs `fn` with the service's retry policy, all attempts together within
   * `timeoutMs`. Work whose outcome is unknown (timeout, reset, 5xx) is repeated only when it is `idempotent`.
   *
   * @param maxRetries repetitions after the first try, 0 to 100. @default the config's, 5
   * @example
   * await service.executeWithRetry(() => calendar.events.get({ auth, calendarId, eventId }), 3, { idempotent: true })
   */
  executeWithRetry<T>(
    fn: () => PromiseLike<T> | T,
    maxRetries?: number,
    options?: {
      /** A second arrival does no harm: reads, deletes, writes with an id of your own. @default false */
      idempotent?: boolean
    },
  ): Promise<T>

  /**
   * The promise's answer, or a CalendarError TIMEOUT with the message `<name> timed out after <ms>ms` and outcome
   * `unknown`: what the promise stands for goes on.
   *
   * @param name @default 'Operation'
   */
  withTimeout<T>(promise: PromiseLike<T> | T, ms: number, name?: string): Promise<T>

  /** Whether the failed call may be made again as it is. @param options.idempotent @default false */
  isRetryableError(error: unknown, options?: { idempotent?: boolean }): boolean

  /** What the `resolveCalendar` of the config says, filled up; `primary` without one. */
  resolveCalendar(userId: UserId): Promise<ResolvedCalendar>

  /** Hands a record to `onOperation`. Never rejects on its account. */
  logOperation(record: Partial<OperationRecord> & { [key: string]: unknown }): Promise<void>

  /**
   * Changes the configuration at run time: all but URLs, client credentials, store and leaseMs. A callback set to
   * null is taken away. On the module itself the first call starts the service, as does one after `close()`.
   *
   * @throws CalendarError CONFIGURATION or VALIDATION_FAILED; then nothing was changed
   * @example
   * service.configure({ timeoutMs: 30000, verification: { enabled: false } })
   */
  configure(config: CalendarConfig | { [Key in keyof CalendarConfig]: CalendarConfig[Key] | null }): void

  /** Writes and clean-up that are not settled yet. */
  pending(): Promise<PendingEntry[]>

  /** Works off what a crash or a failure left open, now; resolves to what is open still. */
  recover(): Promise<PendingEntry[]>

  /** The figures of this process, at once; also after `close()`. */
  metrics(): Metrics

  /**
   * The same figures in Prometheus's text format 0.0.4: base units, names that begin with `surecal_`. The labels are
   * methods, codes and kinds, never users. It may be appended to another library's page.
   *
   * @example
   * app.get('/metrics', (req, res) => res.type('text/plain; version=0.0.4').send(service.prometheus()))
   */
  prometheus(): string

  /**
   * Whether this process is fit for traffic, within a second. It asks the store, and sends nothing to Google.
   *
   * @throws CalendarError CONFIGURATION before `configure()`
   * @example
   * app.get('/ready', async (req, res) => {
   *   const health = await service.health()
   *   res.status(health.ready ? 200 : 503).json(health)
   * })
   */
  health(): Promise<Health>

  /**
   * A page that shows these figures live: one address, no request to anywhere else, no user's name. May be made before
   * `configure()`.
   *
   * @throws CalendarError CONFIGURATION without `authorize`
   * @example
   * app.use('/admin/calendar', service.dashboard({ authorize: (req) => req.user?.isAdmin === true }))
   */
  dashboard(options: DashboardOptions): DashboardHandler

  /**
   * Takes no more calls (they reject with CLOSED), waits for what is open, and lets go of everything. Resolves to what
   * is open still; with the memory store that is lost with the process. A call that was begun before goes through; if a
   * callback of yours keeps it waiting even after `drainMs`, it rejects with CLOSED, and nothing was sent.
   *
   * @param options.drainMs longest wait. @default 5000
   */
  close(options?: { drainMs?: number }): Promise<PendingEntry[]>
}

// ---------------------------------------------------------------- the module as a service, and its constants

/**
 * The module is itself a service, ready after one `configure()`: in an old file a `require` line is all that changes.
 *
 * @example
 * require('surecal').configure({ resolveCalendar, tokenStore }) // once at start
 * const GoogleCalendarService = require('surecal') // in every old file
 */
export const createEvent: CalendarService['createEvent']
export const createEvents: CalendarService['createEvents']
export const verifyEvent: CalendarService['verifyEvent']
export const getEvent: CalendarService['getEvent']
export const listEvents: CalendarService['listEvents']
export const updateEvent: CalendarService['updateEvent']
export const deleteEvent: CalendarService['deleteEvent']
export const addAttendeeToEvent: CalendarService['addAttendeeToEvent']
export const removeAttendeeFromEvent: CalendarService['removeAttendeeFromEvent']
export const enroll: CalendarService['enroll']
export const transaction: CalendarService['transaction']
export const getRefreshedOAuthClient: CalendarService['getRefreshedOAuthClient']
export const requireGoogleAuth: CalendarService['requireGoogleAuth']
export const idempotency: CalendarService['idempotency']
export const idempotencyMiddleware: CalendarService['idempotencyMiddleware']
export const clearIdempotency: CalendarService['clearIdempotency']
export const errorHandler: CalendarService['errorHandler']
export const executeWithRetry: CalendarService['executeWithRetry']
export const withTimeout: CalendarService['withTimeout']
export const isRetryableError: CalendarService['isRetryableError']
export const resolveCalendar: CalendarService['resolveCalendar']
export const logOperation: CalendarService['logOperation']
export const configure: CalendarService['configure']
export const pending: CalendarService['pending']
export const recover: CalendarService['recover']
export const metrics: CalendarService['metrics']
export const prometheus: CalendarService['prometheus']
export const health: CalendarService['health']
export const dashboard: CalendarService['dashboard']
export const close: CalendarService['close']

/** Each code under its own name. */
export const CALENDAR_ERROR_CODE: { readonly [Code in CalendarErrorCode]: Code }

/** Each operation under its own name. */
export const CALENDAR_OPERATION: { readonly [Operation in CalendarOperation]: Operation }

export const OPERATION_STATUS: { readonly [Status in OperationStatus]: Status }

/** The defaults of `retry`. */
export const CALENDAR_RETRY_CONFIG: {
  readonly MAX_RETRIES: 5
  readonly BASE_DELAY_MS: 200
  readonly BACKOFF_MULTIPLIER: 2
  readonly MAX_DELAY_MS: 5000
}

/** Milliseconds: the default of `timeoutMs`. */
export const CALENDAR_OPERATION_TIMEOUT: 10000

/** The module. */
declare const surecal: CalendarService & {
  readonly CalendarService: typeof CalendarService
  readonly CalendarError: typeof CalendarError
  readonly CALENDAR_ERROR_CODE: typeof CALENDAR_ERROR_CODE
  readonly CALENDAR_OPERATION: typeof CALENDAR_OPERATION
  readonly OPERATION_STATUS: typeof OPERATION_STATUS
  readonly CALENDAR_RETRY_CONFIG: typeof CALENDAR_RETRY_CONFIG
  readonly CALENDAR_OPERATION_TIMEOUT: typeof CALENDAR_OPERATION_TIMEOUT
}
export default surecal
