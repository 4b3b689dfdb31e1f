/** What the callbacks of a configuration are asked, answer and are told. */

import type { CalendarErrorCode } from './errors'
import type { VerificationDetails } from './results'

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
  | 'ENROLL'
  | 'TRANSACTION'

export type OperationStatus = 'SUCCESS' | 'FAILURE'

/** What `onOperation` receives: one record for each event that a write was asked for. */
export interface OperationRecord {
  userId: string
  /** One of {@link CALENDAR_OPERATION}. */
  operation: CalendarOperation
  status: OperationStatus
  calendarType: string | null
  secondaryCalendarId: string | null
  /** What you passed: the event or the changes; null for a delete, and for attendees. */
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
   * Only in the second record, when the clean-up of a failed call, or the fate of an event that an enrollment or a
   * transaction skipped, has come to an end: `deleted` where nothing of it is there, `kept` where it was left.
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
