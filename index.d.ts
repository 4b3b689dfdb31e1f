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

import type { AttendeeOptions, EventPlace, NewAttendee } from './lib/types/attendees'
import type { Auth, GoogleAuthMiddleware, RefreshOptions, RequireGoogleAuthOptions } from './lib/types/auth'
import type { TokenConfig, TokenStore } from './lib/types/auth'
import type { EnrollRequest, EnrollResult, Transaction, TransactionOptions } from './lib/types/enroll'
import type { TransactionResult, UndoHandlers } from './lib/types/enroll'
import type { CalendarErrorCode, CalendarErrorJson, Outcome } from './lib/types/errors'
import type { CalendarEvent } from './lib/types/event'
import type { IdempotencyMiddleware, IdempotencyOptions } from './lib/types/idempotency'
import type {
  AddAttendeeResult,
  BatchResult,
  CreateResult,
  DeleteResult,
  GetResult,
  PendingEntry,
  RemoveAttendeeResult,
  UpdateResult,
  VerificationDetails,
  VerifyResult,
} from './lib/types/results'
import type { CustomStore, RedisStore, SqliteStore } from './lib/types/store'
import type { DashboardHandler, DashboardOptions, Health, Metrics } from './lib/types/watching'

export type * from './lib/types/attendees'
export type * from './lib/types/auth'
export type * from './lib/types/enroll'
export type * from './lib/types/errors'
export type * from './lib/types/event'
export type * from './lib/types/idempotency'
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
  /** What your own callback threw; never an error of the native part or of a Google client. */
  readonly cause?: unknown
  /** For handlers written for Google's client: Google's status (else the code's HTTP status) and a body of its shape. */
  readonly response: { status: number; data: { error: unknown; error_description?: string } }
  /** True also for errors of another copy of the package or of another realm, where `instanceof` fails. */
  static is(value: unknown): value is CalendarError
  /** All fields but `cause`, `response` and the stack. */
  toJSON(): CalendarErrorJson
}

// ---------------------------------------------------------------- the caller's callbacks

/** A user's id: text, a number, or an id object such as a MongoDB ObjectId. Plain objects are refused. */
export type UserId = string | number | bigint | { toHexString(): string } | { toString(): string }

/** Which calendar of a user is written to. */
export interface CalendarPlace {
  /** `primary`, or a calendar's id. */
  calendarId: string
  /** @default 'primary' for `primary`, else 'secondary' */
  calendarType?: string | null
  /** @default null for `primary`, else `calendarId` */
  secondaryCalendarId?: string | null
  /** @default null */
  subscriptionPlan?: string | null
  /** IANA zone for times without offset and zone. @default the config's `timeZone` */
  timeZone?: string | null
}

export interface ResolvedCalendar {
  calendarId: string
  calendarType: string
  secondaryCalendarId: string | null
  subscriptionPlan: string | null
  timeZone?: string
}

/** What `onOperation` receives: one record for each event that a write was asked for. */
export interface OperationRecord {
  userId: string
  /** One of {@link CALENDAR_OPERATION}. */
  operation: CalendarOperation
  status: OperationStatus
  calendarType: string | null
  secondaryCalendarId: string | null
  /** What you passed: the event, the changes, or null for a delete. */
  eventData: unknown
  executionTimeMs: number
  error: string | null
  errorCode: CalendarErrorCode | null
  googleEventId: string | null
  eventHash: string | null
  verified: boolean
  verificationDetails: VerificationDetails | null
  attempts: number
  /** `options.context` of the call, or null. */
  context: unknown
  /**
   * Only in the second record of a failed call, when its clean-up has come to an end: the event is gone, or was left
   * because it belongs to somebody else or was edited.
   */
  settled?: 'deleted' | 'kept'
}

/** `console`, pino, winston and their like. */
export interface Logger {
  debug?(message: string, more: object): unknown
  info?(message: string, more: object): unknown
  warn?(message: string, more: object): unknown
  error?(message: string, more: object): unknown
}

// ---------------------------------------------------------------- configuration

export interface RetryConfig {
  /** Repetitions after the first try. @default 5 */
  maxRetries?: number
  /** @default 200 */
  baseDelayMs?: number
  /** @default 2 */
  backoffMultiplier?: number
  /** Longest delay; a Retry-After of Google's may be longer. @default 5000 */
  maxDelayMs?: number
}

export interface ProxyConfig {
  /** `http://user:password@proxy.example:3128` */
  url: string
  /** As in NO_PROXY: host names (their subdomains too), addresses and networks, with commas between. @default none */
  noProxy?: string
  /** Whether this machine's own addresses are reached through it too. @default false */
  loopback?: boolean
}

/**
 * Every key is optional. An unknown key or a wrong type throws at once with the key's name. Callbacks may be sync or
 * async, keep their `this`, and are bounded by the deadline of the call that asks them.
 */
export interface CalendarConfig {
  /** Root of the Calendar API; plain `http:` only for loopback hosts. @default Google's */
  rootUrl?: string
  /** OAuth token endpoint; plain `http:` only for loopback hosts. @default Google's */
  tokenUrl?: string
  /** The app's OAuth client, to refresh tokens with; an OAuth2Client that brings its own is refreshed with that. */
  clientId?: string
  clientSecret?: string
  /** For the clients that `getRefreshedOAuthClient` makes. */
  redirectUri?: string
  /** Asked when a call's `auth` is null, and before a refresh. */
  tokenStore?: TokenStore
  tokens?: TokenConfig
  /** @default every user's `primary` */
  resolveCalendar?(userId: string): PromiseLike<CalendarPlace> | CalendarPlace
  /**
   * Whose an event is, for calls that name the event only: `addAttendeeToEvent(eventId, email)`. Asked at each of them;
   * what it says is never kept.
   */
  resolveCalendarForEvent?(eventId: string): PromiseLike<EventPlace> | EventPlace
  /** Take back named steps of transactions, also of processes that are gone. */
  undo?: UndoHandlers
  /** Receives a record of every write. Whatever it does, the call is not affected. */
  onOperation?(record: OperationRecord): unknown
  /** A whole call, callbacks included. @default 10000 */
  timeoutMs?: number
  /** One HTTP exchange. @default 0.4 x timeoutMs */
  attemptTimeoutMs?: number
  /** @default 2000 */
  connectTimeoutMs?: number
  /**
   * The HTTP proxy to go through (`http:` or `https:`, with user and password where it wants them); false: none, whatever
   * the environment says. This machine's own addresses are reached directly unless `loopback` is true.
   * @default the environment's HTTPS_PROXY, but not for the hosts of NO_PROXY; the lower-case names win
   */
  proxy?: string | false | ProxyConfig
  /**
   * Authorities to trust besides the system's own and those of NODE_EXTRA_CA_CERTS: PEM text, for Google and for
   * `rediss:`. Where the system has none at all, Mozilla's list is built in.
   */
  ca?: string | Uint8Array | (string | Uint8Array)[]
  /** Added to the `User-Agent`, which is `surecal/x.y.z`: 1 to 200 visible ASCII characters. */
  userAgent?: string
  /**
   * Google's parameter `quotaUser`: whom a request counts against when one service account acts for many users. True: a
   * hash of the call's `userId`; a text: that, at most 40 characters. @default false: not sent
   */
  quotaUser?: boolean | string
  /** IANA zone for times without offset and zone. */
  timeZone?: string
  /** Full jitter; Retry-After is a floor. */
  retry?: RetryConfig
  verification?: {
    /** Off: results say `verified: false`. @default true */
    enabled?: boolean
    /** How long a read-back is waited for. @default 3000 */
    windowMs?: number
    /** Put a difference right once before giving up. @default true */
    repair?: boolean
  }
  /**
   * Where claims, answers and open clean-up are kept: `'memory'` dies with the process, a file is shared by the processes
   * of a machine, Redis or an object of your own by any number of machines.
   * @default 'memory'
   */
  store?: 'memory' | SqliteStore | RedisStore | CustomStore
  /** How long a silent owner keeps a claim or a journal entry. @default 30000 */
  leaseMs?: number
  idempotency?: {
    /** False: the middleware `idempotency` lets every request on, as if it were not there. @default true */
    enabled?: boolean
    /** How long the answer to a request is kept. @default 3600000 */
    ttlMs?: number
  }
  /** `'manual'`: only `recover()` works off what a crash left. @default 'auto' */
  recovery?: 'auto' | 'manual'
  /** @default silent */
  logger?: Logger
  attendees?: {
    /** The change of one attendee, unless the call says otherwise. @default 5000 */
    timeoutMs?: number
    /** `'skip'`: an enrollment goes on without an event whose change timed out. @default 'fail' */
    onTimeout?: 'fail' | 'skip'
  }
  limits?: {
    /** @default 600 */
    perUserPerMinute?: number
    /** @default 10000 */
    perProjectPerMinute?: number
    /** @default 256 */
    maxInFlight?: number
  }
  /** What an unknown key does, in the config and in options. @default 'refuse' */
  unknownOptions?: 'refuse' | 'warn'
}

// ---------------------------------------------------------------- options

/** Options of every call. */
export interface CallOptions {
  /** @default what `resolveCalendar` says */
  calendarId?: string
  /** The whole call. @default the config's */
  timeoutMs?: number
  /** One HTTP exchange. @default the config's */
  attemptTimeoutMs?: number
  /** @default the config's `retry.maxRetries` */
  maxRetries?: number
  /** @default the config's `quotaUser` */
  quotaUser?: boolean | string
  /** Stops the waiting at once; the outcome of a write under way is settled in the background. */
  signal?: AbortSignal
  /** Handed to `onOperation` as it is; its texts, numbers and booleans go into the call's span. Never sent to Google. */
  context?: unknown
}

export interface WriteOptions extends CallOptions {
  /** Who gets mail. @default 'all' */
  sendUpdates?: 'all' | 'externalOnly' | 'none'
  /** Google's older parameter; `sendUpdates` wins, false means 'none'. */
  sendNotifications?: boolean
  /** Accepted for old call sites; reads are polled anyway. */
  waitForConsistency?: boolean
}

export interface CreateOptions extends WriteOptions {
  /** One key makes at most one live event of a user, across retries, processes and restarts. @default a random one per call */
  idempotencyKey?: string
  /** 0 drops `conferenceData`. @default 1 */
  conferenceDataVersion?: 0 | 1
  /** Do not read back; the result says `verified: false`. @default false */
  skipVerification?: boolean
  /** When the key's event was deleted meanwhile: make a new one, or reject. @default 'recreate' */
  onDeleted?: 'recreate' | 'reject'
}

export interface UpdateOptions extends WriteOptions {
  /** @default 1 */
  conferenceDataVersion?: 0 | 1
  /** @default false */
  skipVerification?: boolean
}

export interface VerifyOptions extends CallOptions {
  /** Accepted for old call sites; reads are polled anyway. */
  waitForConsistency?: boolean
}

/** Google's list parameters. */
export interface ListQuery {
  /** RFC 3339, exclusive bound on an event's end. */
  timeMin?: string | Date
  /** RFC 3339, exclusive bound on an event's start. */
  timeMax?: string | Date
  updatedMin?: string | Date
  /** Events per page, at most 2500; all pages are read in any case. @default Google's 250 */
  maxResults?: number
  /** Where to begin; from there, all pages are read. @default the first page */
  pageToken?: string
  /** Instances of recurring events instead of the series. @default false */
  singleEvents?: boolean
  orderBy?: 'startTime' | 'updated'
  q?: string
  showDeleted?: boolean
  timeZone?: string
  iCalUID?: string
  privateExtendedProperty?: string | string[]
  sharedExtendedProperty?: string | string[]
  eventTypes?: string | string[]
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
   * is open still; with the memory store that is lost with the process.
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

export type CalendarOperation =
  | 'CREATE_EVENT'
  | 'CREATE_EVENTS'
  | 'VERIFY_EVENT'
  | 'GET_EVENT'
  | 'LIST_EVENTS'
  | 'UPDATE_EVENT'
  | 'DELETE_EVENT'
  | 'ADD_ATTENDEE'
  | 'REMOVE_ATTENDEE'
/** Each operation under its own name. */
export const CALENDAR_OPERATION: { readonly [Operation in CalendarOperation]: Operation }

export type OperationStatus = 'SUCCESS' | 'FAILURE'
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
