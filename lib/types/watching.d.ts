/** What a service tells of itself: figures, health, and the page that shows them. */

import type { CalendarErrorCode, Outcome } from './errors'

/** A part of something. */
export interface Part {
  count: number
  of: number
  /** `count / of`, 0 to 1; null of nothing. */
  share: number | null
}

/** Counters of this process since the service was made. No name of a user, a calendar or an event is in them. */
export interface Metrics {
  /** When counting began: Unix time in milliseconds. */
  since: number
  /** What it all comes to. */
  success: SuccessFigures
  /** By method. A method appears with its first answer. */
  operations: { [operation: string]: OperationCount }
  /** Harm that was kept off calendars; each event once, however many calls shared its attempt. */
  prevented: PreventedCount
  /** Calls that shared the attempt of another call with the same key. */
  shared: number
  /** HTTP requests that `idempotency()` answered without running their handler. */
  requests: {
    /** With the answer of an earlier one. */
    replayed: number
    /** With 409, because an earlier one was at work. */
    refused: number
  }
  tokens: TokenCount
  /** HTTP exchanges with Google's calendar API. */
  google: GoogleCount
  /** Calls at work now. */
  inFlight: number
  /** Writes and clean-up open now. */
  openWork: number
  /** Clean-up that came to an end after its call was answered. */
  settled: number
  /** The last quarter of an hour. */
  timeline: {
    /** Length of a slice in milliseconds. */
    sliceMs: number
    /** Oldest first; slices without calls are left out, and the last may not be over. */
    slices: TimeSlice[]
  }
  /** The last 50, newest first. */
  recentFailures: RecentFailure[]
}

export interface SuccessFigures {
  /** Writes that Google acknowledged and did not do as asked: put right, done again, or taken back. Of all writes answered. */
  silentFailuresCaught: Part
  /** Writes that were read back and compared, of those answered with success. */
  verified: Part
  /** Calls that failed with GOOGLE_AUTH_REQUIRED or GOOGLE_AUTH_FAILED, of all. */
  tokenFailures: Part
  /**
   * Clean-ups after failed calls that left nothing in the calendar, of all that were begun. The others were left because
   * somebody relies on the event (`prevented.left`), or are still open.
   */
  phantomsPrevented: Part
  /** Second events that were not made: `prevented.adopted`, `prevented.lostReplies`, `shared` and `requests`. */
  duplicatesPrevented: number
  /** Calls without an answer one second after their deadline, those that are at work included; of all. */
  hung: Part
  /**
   * Calls answered with success, of those that asked for something that can be done: refusals of wrong input, of what is
   * not there, of reused keys, of conflicts and aborts are not held against them.
   */
  reliable: Part
}

export interface PreventedCount {
  /** Stored otherwise than asked, and put right. */
  repaired: number
  /** Acknowledged and not stored, and inserted again. */
  restored: number
  /** Wrong to the last, and told as VERIFICATION_FAILED. */
  refused: number
  /** Clean-ups that left nothing in the calendar. */
  removed: number
  /** Clean-ups that left the event: others rely on it, or somebody changed it. */
  left: number
  /** Found made by an earlier call with the same key. */
  adopted: number
  /** Found made although the reply to the insert was lost. */
  lostReplies: number
}

export interface OperationCount {
  succeeded: number
  verified: number
  replayed: number
  /** Stored wrong at first and put right. */
  repaired: number
  /** Answered with VERIFICATION_FAILED. */
  unverified: number
  /** Rejected, by code. */
  failed: { [code in CalendarErrorCode]?: number }
  /** Rejected, by what may have happened in the calendar. */
  outcomes: { [outcome in Outcome]?: number }
  /** Settled more than a second after their deadline. */
  hung: number
  totalMs: number
  slowestMs: number
  /** Half of the calls took at most so long; right to 1 %. */
  p50Ms: number
  p95Ms: number
  p99Ms: number
}

/** Renewals of access tokens, retries and all. */
export interface TokenCount {
  refreshed: number
  /** The grant is dead: its user must reconnect. */
  dead: number
  /** The app's client id or secret is wrong. */
  misconfigured: number
  /** Given up: the token endpoint or the network did not work. */
  failed: number
  /** Exchanges that were made again. */
  retries: number
}

export interface GoogleCount {
  /** Requests that change nothing. */
  reads: number
  /** Requests that may change something. */
  writes: number
  status2xx: number
  status3xx: number
  status4xx: number
  status5xx: number
  bytesSent: number
  bytesReceived: number
  /** Time that requests waited for their turn. */
  throttledMs: number
  /** Time that requests waited before a repeat. */
  backoffMs: number
  /** Fresh tokens asked for after a 401. */
  tokenRenewals: number
  /** Requests without a usable answer: `timeout` (cut by `attemptTimeoutMs`), `reset`, `cut`, `connect`, … */
  faults: { [kind: string]: number }
  /** Repeats, by the code of what went wrong before. */
  retries: { [code in CalendarErrorCode]?: number }
  /** Requests that ended in an error, by what ended them: `final`, `retries`, `budget`, `deadline`, … */
  stops: { [why: string]: number }
}

export interface TimeSlice {
  /** When it began: Unix time in milliseconds. */
  at: number
  /** Calls that ended in it, without refreshes of tokens. */
  calls: number
  failed: number
  p50Ms: number
  p95Ms: number
  p99Ms: number
}

export interface RecentFailure {
  /** When it was answered: Unix time in milliseconds. */
  at: number
  operation: string
  code: CalendarErrorCode
  /** Whether anything is in the calendar, as the caller was told it. */
  outcome: Outcome
  elapsedMs: number
}

/** How fit this process is. */
export interface Health {
  /** Send traffic here. False only when closed or when the store does not answer: then no write can succeed. */
  ready: boolean
  /** `degraded`: calls are answered, and some fail or are slow. */
  status: 'ok' | 'degraded' | 'down'
  closed: boolean
  store: { ok: boolean; elapsedMs: number }
  /** As the last renewal of a token found it; `unknown` where there was none in the last minute. Nothing is sent to ask. */
  tokenEndpoint: { ok: boolean; state: 'up' | 'down' | 'unknown' }
  /** Not `ok` when a clean-up is open for more than ten minutes. */
  openWork: { ok: boolean; count: number; cleanUps: number; oldestMs: number | null }
  /** Not `ok` while more than 60 % of the last 10 s' requests to Google fail: then nothing is retried. */
  budget: { ok: boolean }
  /** Not `ok` while `limits.maxInFlight` calls are at work. */
  inFlight: { ok: boolean; count: number; limit: number }
}

export interface DashboardOptions {
  /**
   * Who may see the page: true, or a promise of it. Asked for the page and for each look at the figures; anything else,
   * also an error, is answered 403. `false` instead of a function: everybody who can reach the address.
   */
  authorize: false | ((req: any) => PromiseLike<boolean> | boolean)
}

/** A handler for Express 4 and 5. */
export type DashboardHandler = (req: any, res: any, next: (error?: any) => void) => Promise<void> | void
