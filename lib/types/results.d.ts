/** What the methods of a service resolve to. */

import type { CalendarErrorCode } from './errors'
import type { CalendarEvent } from './event'

/** One field that differs. */
export interface Mismatch {
  /** `summary`, `start.dateTime`, `end.date`, `recurrence`, `attendees`, … */
  field: string
  expected: unknown
  actual: unknown
}

/** Something that did not fail the call and should be known: `STAMP_LOST`, `ATTENDEES_OMITTED`, … */
export interface Warning {
  code: string
  message: string
  /** The field concerned, if it is one: `description`, `attendees`, … */
  field?: string
}

/** The calendar that was written to. */
export interface PlaceFields {
  calendarType: string
  secondaryCalendarId: string | null
  subscriptionPlan: string | null
}

export interface CreateSuccess extends PlaceFields {
  success: true
  /** Read back from Google after the write, critical fields equal. False only with `skipVerification` or verification switched off. */
  verified: boolean
  /** The event as Google holds it. */
  event: CalendarEvent
  eventId: string
  /** SHA-256 of the canonical event data. */
  eventHash: string
  /** The key's event was there already. */
  replayed: boolean
  /** A difference was put right after the write. */
  repaired: boolean
  /** HTTP exchanges. */
  attempts: number
  warnings: Warning[]
}

export interface CreateFailure extends PlaceFields {
  success: false
  verified: false
  /** `Event verification failed: …` */
  error: string
  errorCode: 'VERIFICATION_FAILED'
  verificationDetails: VerificationDetails
  /** What became of the event: deleted, left because somebody else relies on it, or still being cleaned up. */
  cleanup: 'deleted' | 'kept' | 'pending'
  eventId: string
  attempts: number
}

export type CreateResult = CreateSuccess | CreateFailure

export interface BatchSuccess extends PlaceFields {
  success: true
  verified: boolean
  /** In the order of the events asked for. */
  events: CreateSuccess[]
  rolledBack: string[]
  rollbackPending: string[]
}

export interface BatchFailure extends PlaceFields {
  success: false
  verified: false
  /** Empty: all or nothing. */
  events: []
  /** `Event verification failed: …` */
  error: string
  errorCode: 'VERIFICATION_FAILED'
  /** Index of the event that could not be verified. */
  failedIndex: number
  mismatches?: Mismatch[]
  /** Ids of events that were made and taken back. */
  rolledBack: string[]
  /** Ids of events still to be taken back; `pending()` lists them. */
  rollbackPending: string[]
}

export type BatchResult = BatchSuccess | BatchFailure

export interface VerificationDetails {
  success: boolean
  verified: boolean
  error?: string
  mismatches?: Mismatch[]
  eventId?: string
}

export interface VerifySuccess {
  success: true
  verified: true
  event: CalendarEvent
  eventId: string
  attempts: number
  warnings: Warning[]
}

export interface VerifyFailure {
  success: false
  verified: false
  error: string
  errorCode?: CalendarErrorCode
  mismatches?: Mismatch[]
  eventId: string
}

export type VerifyResult = VerifySuccess | VerifyFailure

export interface AddAttendeeResult extends PlaceFields {
  success: true
  /** They were on the list; nothing was written. */
  alreadyAdded: boolean
  /** Entries on the list now. */
  attendeeCount: number
  /** Seen on the list. False only with `skipVerification` or verification switched off. */
  verified: boolean
  eventId: string
  /** HTTP exchanges, shared with whoever changed the same event at the same time. */
  attempts: number
  /** `ANSWERS_NOT_SHARED`: above 200 guests Google does not tell them who comes. */
  warnings: Warning[]
}

export interface RemoveAttendeeResult extends PlaceFields {
  success: true
  /** They were not on the list; nothing was written. */
  alreadyRemoved: boolean
  attendeeCount: number
  /** Seen to be off the list. */
  verified: boolean
  eventId: string
  attempts: number
  warnings: Warning[]
}

export interface GetResult extends PlaceFields {
  success: true
  event: CalendarEvent
  eventId: string
}

export interface UpdateSuccess extends PlaceFields {
  success: true
  verified: boolean
  event: CalendarEvent
  eventId: string
  /** The event was so already; nothing was written. */
  unchanged: boolean
  attempts: number
  warnings: Warning[]
}

export interface UpdateFailure extends PlaceFields {
  success: false
  verified: false
  /** `Event verification failed: …` */
  error: string
  errorCode: 'VERIFICATION_FAILED'
  verificationDetails: VerificationDetails
  eventId: string
  attempts: number
}

export type UpdateResult = UpdateSuccess | UpdateFailure

export interface DeleteResult extends PlaceFields {
  success: true
  verified: boolean
  eventId: string
  /** It was gone before; also a success. */
  alreadyDeleted: boolean
  attempts: number
}

/** A write or clean-up that is not settled yet. */
export interface PendingEntry {
  operation: string
  userId: string
  calendarId: string
  /** Of several events the first; empty where none is concerned. */
  eventId: string
  eventIds: string[]
  /** Unix time in milliseconds. */
  since: number
  /** How often it was tried. */
  rounds: number
  /** Code of the last try's error. */
  lastError: CalendarErrorCode | null
  /** The same as a sentence. */
  reason: string | null
  /** `options.context` of the call it comes from; null where another process made it, or it had none. */
  context: unknown
}
