/** Who is invited to an event, and whose event it is. */

import type { UserId } from './callbacks'
import type { WriteOptions } from './options'
import type { Auth } from './auth'

/** Whose an event is, and in which calendar. */
export interface EventPlace {
  userId: UserId
  /** @default what `resolveCalendar` says of the user */
  calendarId?: string
  /** @default the user's tokens in `tokenStore` */
  auth?: Auth
}

export interface AttendeeOptions extends WriteOptions {
  /** Whose event it is. @default what `resolveCalendarForEvent` says */
  userId?: UserId
  /** @default the one `resolveCalendarForEvent` gives, or the user's tokens in `tokenStore` */
  auth?: Auth
  /** Do not read an added attendee back; a removed one always is. @default false */
  skipVerification?: boolean
}

/** Somebody to invite. */
export interface NewAttendee {
  email: string
  displayName?: string
  /** They need not come. @default false */
  optional?: boolean
}
