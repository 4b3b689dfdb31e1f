/**
 * A Google Calendar and OAuth server for tests, with scripted and seeded faults.
 *
 * It is a process of its own (the Rust binary `surecal-emulator`), which ends with the process that started it and does
 * not hold it. What it knows of Google is told in the project's docs/testing.md; where the facts leave a choice, see
 * {@link Behaviour}.
 *
 * @example
 * const { startEmulator } = require('surecal/testing')
 * const google = await startEmulator()
 * const user = await google.addUser({ email: 'owner@school.test', timeZone: 'America/New_York' })
 * const service = new CalendarService({ ...google.config, resolveCalendar: () => ({ calendarId: 'primary' }) })
 * await google.fault({ operation: 'events.insert', nth: 1, fault: { kind: 'reset', when: 'after' } })
 * await service.createEvent('owner', user.credentials, eventData)
 * expect(await google.events('owner@school.test', { live: true })).toHaveLength(1)
 * await google.close()
 */

/** Starts an emulator. Rejects if the binary is not there or does not start within 10 s. */
export function startEmulator(options?: StartOptions): Promise<Emulator>

/** The binary `startEmulator` would start. Throws if there is none for this platform. */
export function findEmulator(binary?: string): string

export interface StartOptions {
  /**
   * Seed of ids, tokens and rule probabilities, from 0; {@link Emulator.seed} tells it, and the same one repeats them. Two
   * emulators with one seed give out the same tokens: a token refused at one is then not tried at the other for a while.
   * @default a random one
   */
  seed?: number
  /** Round trip of every exchange, in milliseconds; half on the way in, half on the way out. @default 0 */
  latencyMs?: number
  /** Port on 127.0.0.1. @default any free one */
  port?: number
  /**
   * Real TLS at `https://localhost:port`, HTTP/2 and HTTP/1.1 by ALPN, with a certificate made for this emulator alone;
   * {@link Emulator.ca} is what to trust. @default false
   */
  tls?: boolean
  /**
   * Path of the binary.
   * @default the environment's SURECAL_EMULATOR, else the one that was installed with the package (in a checkout: what
   * `cargo build` left in CARGO_TARGET_DIR or ./target, debug, then release)
   */
  binary?: string
}

/** A running emulator. Every method asks it over its control port, which neither faults nor an outage touch. */
export interface Emulator {
  /**
   * `http://127.0.0.1:port`: Google's root URL, HTTP/1.1 and HTTP/2 with prior knowledge. With `tls`,
   * `https://localhost:port`.
   */
  readonly url: string
  /** With `tls`: the PEM of the authority that signed the certificate. */
  readonly ca?: string
  /** Its token endpoint. */
  readonly tokenUrl: string
  /** To be spread into the config of a `CalendarService`. */
  readonly config: { rootUrl: string; tokenUrl: string; clientId: string; clientSecret: string; ca?: string }
  readonly pid: number
  /** What its chance began with; worth printing when a test with `probability` fails. */
  readonly seed: number

  /** Makes a user with a calendar of their own (its id is the address), or gives an old user new tokens. */
  addUser(user: NewUser | string): Promise<User>
  /** Makes a calendar. */
  addCalendar(calendar: NewCalendar): Promise<{ id: string }>
  /** Ends the life of access tokens: one, all of a user, or all. Gives their number. */
  expireTokens(target?: { email?: string; accessToken?: string }): Promise<number>
  /** Revokes refresh tokens and the access tokens made from them: one, all of a user, or all. Gives their number. */
  revokeTokens(target?: { email?: string; refreshToken?: string }): Promise<number>
  /** The OAuth client that is right from now on; `config` follows. */
  setClient(clientId: string, clientSecret: string): Promise<void>

  /** Adds scripted faults. Of several that strike one call, the oldest wins; all of them count it. */
  fault(...rules: (Rule | Rule[])[]): Promise<void>
  /** Starts or replaces the seeded faults; null ends them. */
  profile(profile: Profile | null): Promise<void>
  /** Ends all faults. Late writes stay on their way; hidden and stale events stay so until their time. */
  clearFaults(): Promise<void>
  /** Applies every late write now, in order of arrival. Gives their number. */
  release(): Promise<number>
  /** Sets the round trip of every exchange. */
  latency(ms: number): Promise<void>
  /** Changes what is given and gives all choices in force. */
  behaviour(changes?: Partial<Behaviour>): Promise<Behaviour>

  /** True: connections are refused, and those there are reset. False: served again, on the same port. */
  outage(on: boolean): Promise<void>
  /** The connections there are now are never read or answered again; new ones are well. Gives their number. */
  blackHole(): Promise<number>
  /** Connections with nothing under way are closed (HTTP/2: GOAWAY). Gives the number of connections told. */
  closeIdle(): Promise<number>
  /** The connections there are now are reset. Gives their number. */
  resetConnections(): Promise<number>

  /**
   * The calendar's owner changes fields of an event: no fault, no log entry, no mail. Resolves to the event as stored.
   * `put`: as a program does that writes its whole old copy back and knows nothing of extended properties: they are wiped.
   */
  ownerEdit(calendarId: string, eventId: string, fields: EventFields, options?: { put?: boolean }): Promise<StoredEvent>
  /** The calendar's owner deletes an event. */
  ownerDelete(calendarId: string, eventId: string): Promise<void>
  /** Stores an event as it is, whatever Google would say to it; what only the server writes is added where missing. */
  putEvent(calendarId: string, event: EventFields): Promise<StoredEvent>
  /** Forgets an event and its id, as Google does with old tombstones. Says whether it was there. */
  purgeEvent(calendarId: string, eventId: string): Promise<boolean>

  /** The whole truth. Large after many requests: see `counts`, `events`, `requests`. */
  state(): Promise<State>
  /** Cheap numbers. */
  counts(): Promise<Counts>
  /** The events of a calendar as stored, oldest first; `live` leaves out the cancelled ones. Unknown calendar: none. */
  events(calendarId: string, options?: { live?: boolean }): Promise<StoredEvent[]>
  /** Every state an event was in, oldest first. */
  history(calendarId: string, eventId: string): Promise<{ etag: string; atMs: number; operation: string }[]>
  /** The requests received, oldest first; with a filter, those whose fields equal it. */
  requests(filter?: Partial<RequestRecord>): Promise<RequestRecord[]>
  /** The mails Google would have sent, oldest first. */
  mails(): Promise<Mail[]>
  /** The requests at the token endpoint, oldest first. */
  tokenRequests(): Promise<TokenRecord[]>

  /**
   * An empty world again: no users, calendars, faults, records. Connections stay, and chance goes on, so that users made
   * afterwards have other tokens. Do the same where you name tokens yourself: surecal's services remember in this process,
   * past a reset, that a refresh token was revoked (a minute) and that an access token was refused (an hour).
   */
  reset(): Promise<void>
  /** Ends the process. Safe to call twice. */
  close(): Promise<void>
}

export interface NewUser {
  email: string
  /** @default made by the emulator */
  accessToken?: string
  /** @default made by the emulator */
  refreshToken?: string
  /** Life of the access token; 0 or less: it has expired. @default 3600 */
  expiresInSeconds?: number
  /** IANA zone of the user's own calendar, when it is made now. @default 'UTC' */
  timeZone?: string
  /** Scopes, with spaces between them. @default full calendar access */
  scope?: string
  /** A service account without delegation: inviting anybody is 403 `forbiddenForServiceAccounts`. @default false */
  serviceAccount?: boolean
}

export interface User {
  email: string
  accessToken: string
  refreshToken: string
  /** Milliseconds since 1970. */
  expiryDate: number
  /** The same in the shape that surecal and google-auth-library take. */
  credentials: { access_token: string; refresh_token: string; expiry_date: number }
}

export interface NewCalendar {
  /** @default made by the emulator */
  id?: string
  /** IANA zone. @default 'UTC' */
  timeZone?: string
  /** Address of the user whose it is. */
  owner: string
  /** What others may do. Whoever is not named gets 404. */
  sharedWith?: Record<string, 'freeBusyReader' | 'reader' | 'writer' | 'owner'>
  /** Title. @default the id */
  summary?: string
}

export type Operation =
  | 'events.insert'
  | 'events.get'
  | 'events.list'
  | 'events.update'
  | 'events.patch'
  | 'events.delete'
  | 'calendars.insert'
  | 'calendars.get'
  | 'oauth.token'

/** An operation, a group of them, or all. */
export type OperationPattern = Operation | 'events.*' | 'calendars.*' | 'oauth.*' | '*'

/** A scripted fault. At most one of `nth`, `every` and `probability` may be given; with none, every call is struck. */
export interface Rule {
  operation: OperationPattern
  /**
   * Narrows it to a calendar (`primary` is matched by the user's address too), an event (of an insert: the id the
   * client chose), or the user whose token the request carries (token endpoint: whose grant).
   */
  match?: { calendarId?: string; eventId?: string; user?: string }
  /** The nth matching call since the rule was added, from 1; the next one if an older rule took that. */
  nth?: number
  /** Every nth matching call. */
  every?: number
  /** Each matching call with this probability, 0 to 1, drawn from the emulator's seed. */
  probability?: number
  /** How often at most. With `nth`: that many calls in a row. @default 1 with `nth`, else no bound */
  times?: number
  fault: Fault
}

/** Before the commit: the request is lost, nothing is changed. After it: the reply is lost, the change is made. */
export type When = 'before' | 'after'

/**
 * What goes wrong. Faults that replace the reply (`reset`, `hang`, `status`, `html`, `redirect`) strike *before* the
 * commit unless told otherwise; those that spoil the real reply (`truncate`, `drip`, `bigBody`) *after* it.
 */
export type Fault =
  /** TCP RST without a byte of reply; HTTP/2: the stream is reset. */
  | { kind: 'reset'; when?: When }
  /** No answer ever comes. */
  | { kind: 'hang'; when?: When }
  /**
   * An error with Google's body for it. `reason` picks among the bodies of a status (403: `rateLimitExceeded` by
   * default, `userRateLimitExceeded`, `quotaExceeded`, `forbidden`, …). At the token endpoint it is the `error` word.
   */
  | {
      kind: 'status'
      when?: When
      status: number
      reason?: string
      retryAfterSeconds?: number
      domain?: string
      message?: string
    }
  /** The body stops after `keepBytes` (default half of it) and the connection ends. */
  | { kind: 'truncate'; when?: When; keepBytes?: number }
  /** 200 with a page of HTML. */
  | { kind: 'html'; when?: When }
  /** The reply comes `chunkBytes` (16) at a time, every `everyMs` (100). */
  | { kind: 'drip'; when?: When; everyMs?: number; chunkBytes?: number }
  /** 200 with the full reply, and nothing stored. */
  | { kind: 'drop' }
  /** A good reply, and something else stored: `fields` merged over it (null deletes), or a garbled summary. */
  | { kind: 'corrupt'; fields?: EventFields }
  /** The new event is seen by nobody for `ms` (get, list, update, patch and delete: 404), but its id is taken. */
  | { kind: 'delayedVisibility'; ms: number }
  /** For `ms`, reads show the state before this write (of a new event: 404). On `events.get`: from this read on. */
  | { kind: 'stale'; ms: number }
  /** 412 although the etag is right. */
  | { kind: 'precondition' }
  /** The request hangs, and is applied after `afterMs` or by `release()`, with its id and If-Match checked then. */
  | { kind: 'late'; afterMs?: number }
  /** 302. */
  | { kind: 'redirect'; location: string; when?: When }
  /** The reply, followed by spaces up to `bytes`. */
  | { kind: 'bigBody'; bytes: number; when?: When }
  /** The change is made at once, the reply comes `ms` later. */
  | { kind: 'latency'; ms: number }
  /** HTTP/2: RST_STREAM with REFUSED_STREAM, nothing done. HTTP/1.1: as `reset`. */
  | { kind: 'refusedStream' }
  /** Token endpoint: 400 `invalid_grant`; the grant itself stays alive. */
  | { kind: 'invalidGrant' }
  /** Token endpoint: the reply carries a new refresh token, and the old one dies. */
  | { kind: 'rotate' }

/** Seeded faults: the same seed and the same order of requests give the same faults. */
export interface Profile {
  seed: number
  /** Probability of a fault for each exchange, 0 to 1. */
  rate: number
  /** @default all */
  operations?: OperationPattern[]
  /**
   * Kinds to draw from, evenly among those that fit the operation; sides of the commit are drawn as well.
   * @default all but latency, refusedStream, invalidGrant and rotate
   */
  kinds?: ProfileKind[]
}

export type ProfileKind =
  | 'reset'
  | 'hang'
  /** 429, 403, 500 and 503. */
  | 'status'
  | 'status429'
  | 'status403'
  | 'status500'
  | 'status503'
  | 'truncate'
  | 'html'
  | 'drip'
  | 'drop'
  | 'corrupt'
  | 'delayedVisibility'
  | 'stale'
  | 'precondition'
  | 'late'
  | 'latency'
  | 'refusedStream'
  | 'invalidGrant'
  | 'rotate'

/** Where the facts about Google leave a choice, or a test wants a smaller world. */
export interface Behaviour {
  /** A PUT, or a PATCH with `status: 'confirmed'`, revives a cancelled event instead of 403. @default false */
  reviveCancelled: boolean
  /** Reads that still see a conference pending. 0: the first read after the insert sees it done. @default 0 */
  conferencePendingReads: number
  /** Milliseconds for which a conference stays pending, whatever is read. @default 0 */
  conferencePendingMs: number
  /** @default 'success' */
  conferenceOutcome: 'success' | 'failure'
  /** Addresses that are refused as guests: 400 for the whole list that has one. @default [] */
  refusedGuests: string[]
  /** Guests an event can have; 400 for a longer list. @default null, no limit */
  guestLimit: number | null
  /** At most this many events on one page of a list, whatever maxResults says. @default null */
  pageLimit: number | null
  /** Requests kept in the log; the counts go on. @default null, all */
  logLimit: number | null
}

/** Fields of an event resource. */
export type EventFields = Record<string, unknown>

/** An event as stored: `dateTime` in its calendar's zone, cancelled ones with their details. */
export interface StoredEvent extends EventFields {
  id: string
  etag: string
  status: 'confirmed' | 'tentative' | 'cancelled'
  summary?: string
  extendedProperties?: { private?: Record<string, string>; shared?: Record<string, string> }
}

export interface State {
  calendars: Record<
    string,
    { timeZone: string; owner: string; sharedWith: Record<string, string>; events: StoredEvent[] }
  >
  requests: RequestRecord[]
  mails: Mail[]
  tokenRequests: TokenRecord[]
}

export interface Counts {
  /** Every request so far. */
  requests: number
  operations: Record<Operation, number>
  liveEvents: number
  cancelledEvents: number
  mails: number
  /** Late writes not applied yet. */
  held: number
}

export interface RequestRecord {
  /** From 1, in order of arrival. */
  seq: number
  method: string
  /** Without the query, still percent-encoded. */
  path: string
  query: string
  operation: Operation | null
  /** `primary` resolved. */
  calendarId: string | null
  /** Of an insert: the id the client chose. */
  eventId: string | null
  user: string | null
  ifMatch: string | null
  /** Null if no answer was sent; of a late write, the status it would have got when it was applied. */
  status: number | null
  /** Whether it changed a calendar (a late write: so far). */
  committed: boolean
  /** `reset after`, `status 503 before`, `drop`, … */
  fault: string | null
  httpVersion: '1.0' | '1.1' | '2'
  /** The number of its connection, from 1. */
  connection: number
  /** Milliseconds since the emulator began. */
  atMs: number
  bodyBytes: number
}

export interface Mail {
  kind: 'invitation' | 'update' | 'cancellation'
  calendarId: string
  eventId: string
  to: string
  atMs: number
}

export interface TokenRecord {
  grantType: string
  refreshToken?: string
  /** `ok`, `rotated`, OAuth's error word, or the fault. */
  outcome: string
  atMs: number
}
