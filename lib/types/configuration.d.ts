/** The configuration of a service. */

import type { EventPlace } from './attendees'
import type { TokenConfig, TokenStore } from './auth'
import type { CalendarPlace, Logger, OperationRecord } from './callbacks'
import type { UndoHandlers } from './enroll'
import type { CustomStore, RedisStore, SqliteStore } from './store'

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
  /** One HTTP exchange. @default 0.4 x timeoutMs; of an attendee in an enrollment or transaction at most 0.4 x attendees.timeoutMs */
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
    /** `'skip'`: an enrollment or transaction goes on without an event whose add timed out. @default 'fail' */
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
