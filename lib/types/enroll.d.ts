/** Several writes as one: enrollments and transactions. */

import type { UserId } from './callbacks'
import type { WriteOptions } from './options'
import type { NewAttendee } from './attendees'
import type { Auth } from './auth'
import type { CalendarEvent } from './event'
import type { AddAttendeeResult, CreateSuccess, PlaceFields, Warning } from './results'

export interface EnrollRequest extends WriteOptions {
  /** Whose events they are. */
  userId: UserId
  /** @default the user's tokens in `tokenStore` */
  auth?: Auth
  /** 1 to 500 events, each once; an id alone is in `calendarId`, or where `resolveCalendar` says. */
  events: (string | { eventId: string; calendarId?: string })[]
  attendee: string | NewAttendee
  /**
   * The same key is answered the same after success, also by another process and after a restart. After a failure it
   * enrolls anew. While an earlier call with it is at work this one waits, and rejects with IDEMPOTENCY_IN_PROGRESS at
   * its deadline. Another enrollment under the key: IDEMPOTENCY_KEY_REUSED.
   */
  idempotencyKey?: string
  /** The whole call. The last 30 % are kept for the undo. @default 10000, and 500 for each event, at most 60000 */
  timeoutMs?: number
}

export interface EnrolledEvent {
  eventId: string
  alreadyAdded: boolean
  /** Adding took longer than `attendees.timeoutMs`, and `attendees.onTimeout` is `'skip'`. */
  skipped?: true
  verified: boolean
  /** Absent where it was skipped. */
  attendeeCount?: number
}

export interface EnrollResult extends PlaceFields {
  success: true
  /** Every event was read back; false if one was skipped. */
  verified: boolean
  events: EnrolledEvent[]
  /** Ids of the events that were left out; whether the attendee arrived there is told by a second record. */
  skipped: string[]
  /** An earlier call with the same key did it. */
  replayed: boolean
  warnings: Warning[]
}

export interface TransactionOptions {
  /** Whose calendar: of every step. */
  userId: UserId
  /** @default the user's tokens in `tokenStore` */
  auth?: Auth
  /** @default what `resolveCalendar` says */
  calendarId?: string
  /** Whom Google mails about attendees, where a step does not say. @default 'all' */
  sendUpdates?: 'all' | 'externalOnly' | 'none'
  /**
   * After a success the function is not called again: `replayed`, without its value. After a failure it is. While an earlier
   * call with the key is at work this one waits, and rejects with IDEMPOTENCY_IN_PROGRESS when its time is over; what a dead
   * process left under it is undone first.
   */
  idempotencyKey?: string
  /** The function, and its undo in the last 30 % of it. @default the config's `timeoutMs` */
  timeoutMs?: number
  /** @default the config's */
  attemptTimeoutMs?: number
  signal?: AbortSignal
  context?: unknown
}

/**
 * What `tx.addAttendee` tells. With `attendees.onTimeout: 'skip'` a step whose add takes longer than `attendees.timeoutMs` is
 * `skipped`: its transaction goes on without it, and if that succeeds, a second record tells whether the attendee arrived.
 */
export interface TransactionAddResult extends Omit<AddAttendeeResult, keyof PlaceFields | 'attendeeCount'> {
  skipped?: true
  /** Entries on the list now; absent where it was skipped. */
  attendeeCount?: number
}

/** What a transaction's function works with. Every call must be awaited inside the function. */
export interface Transaction {
  /** As `addAttendeeToEvent`; taken off again if the transaction fails, unless they were there before. */
  addAttendee(request: {
    eventId: string
    calendarId?: string
    attendee: string | NewAttendee
    sendUpdates?: 'all' | 'externalOnly' | 'none'
  }): Promise<TransactionAddResult>
  /** As `createEvent`; deleted again if the transaction fails. What cannot be verified rejects. */
  createEvent(eventData: CalendarEvent, options?: WriteOptions): Promise<Omit<CreateSuccess, keyof PlaceFields>>
  /**
   * A step of your own. `undo` is called if the transaction fails, also if `run` broke off in the middle (then without a
   * value), by this process only.
   */
  step<Value>(run: () => PromiseLike<Value> | Value, undo: (value: Value | undefined) => unknown): Promise<Value>
  /**
   * A step of your own that outlives the process: its name and `args` (JSON, at most 64 KiB) are stored before `run`, and
   * the configuration's `undo[name](args)` takes it back, also after a crash. It may be called more than once, and for a
   * step whose `run` never began.
   */
  step<Value>(name: string, args: unknown, run: () => PromiseLike<Value> | Value): Promise<Value>
}

export interface TransactionResult<Value> {
  success: true
  /** An earlier call with the same key did it; there is no `result` then. */
  replayed: boolean
  /** What your function gave back. */
  result: Value | undefined
  /** Ids of the events that it went on without; whether the attendee arrived there is told by a second record. */
  skipped: string[]
}

/** By name: takes back a step of a transaction that failed or whose process died. Must do no harm when repeated. */
export interface UndoHandlers {
  [name: string]: (args: never) => unknown
}
