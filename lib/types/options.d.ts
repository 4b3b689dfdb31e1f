/** Options of calls. */

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
