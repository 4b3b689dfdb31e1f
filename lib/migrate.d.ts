/**
 * Moving from an old calendar service to surecal, method by method and user by user, at run time.
 * MIGRATION.md tells the way.
 *
 * @example
 * // backend/services/calendar/googleCalendarService.js
 * const { migrate } = require('surecal/migrate')
 * module.exports = migrate(require('./legacyGoogleCalendarService'), require('./surecalService'), {
 *   createEvent: 'shadow', // the old service writes, surecal looks at what it wrote
 *   deleteEvent: 0.1, // every tenth user has surecal
 * })
 * // At any time, and everything back at once:
 * GoogleCalendarService.set({ createEvent: 0.5, updateEvent: true })
 * GoogleCalendarService.set({ '*': false })
 */

/**
 * An object with every method of both services. A method that both have is answered by the one its switch says; one
 * that only one has goes there. Either way `this` is the service it belongs to, so what the old service calls on itself
 * stays old, and methods work without their object (`const { createEvent } = …`). Answers and errors are those of the
 * service that was called. Other members (constants, classes) are the old service's, else the new one's.
 *
 * @param legacyService a class with static methods, an instance, or a module of functions
 * @param service a `CalendarService`, or the module `surecal` itself
 * @param switches at the start; methods that are not named stay with the old service
 * @throws CalendarError CONFIGURATION: a method that neither has (with the name that was probably meant), a switch that
 * makes no sense, an unknown option, or a member of a service with a name of {@link MigrationControls}
 */
export function migrate<Legacy extends object, Service extends object>(
  legacyService: Legacy,
  service: Service,
  switches?: Switches<Legacy, Service>,
  options?: MigrateOptions,
): Migrated<Legacy, Service>

/**
 * - `false`: the old service.
 * - `true`: the new one.
 * - a number from 0 to 1: that share of the users has the new one. A user's place is a hash of the id, the same for every
 *   method, in every process and at every time: a share that grows only adds users.
 * - `'shadow'` (createEvent, updateEvent, deleteEvent, addAttendeeToEvent, removeAttendeeFromEvent): the old service
 *   writes and answers; afterwards surecal reads what is there and reports. It never writes.
 * - `{ share, shadow: true }`: a share of the users has the new one, and the writes of the others are looked at.
 *
 * The user is the first argument; of `addAttendeeToEvent` and `removeAttendeeFromEvent` it is `options.userId`, else the
 * event's id stands for it; of `enroll` and `logOperation` it is the `userId` in their argument. `executeWithRetry`,
 * `withTimeout`, middleware and the like serve nobody in particular and take no share. A call whose user cannot be read
 * goes to the old service, unless the share is 1.
 */
export type Switch = boolean | number | 'shadow' | { share?: number; shadow?: boolean }

/**
 * Switches by method. `'*'` is every method that both services have, as far as the switch makes sense for it (a share
 * passes by methods that serve nobody, `'shadow'` only means writes); methods named beside it have their own.
 */
export type Switches<Legacy, Service> = { [Method in Shared<Legacy, Service>]?: Switch } & { '*'?: Switch }

export interface MigrateOptions {
  /** For methods of your own whose user is not the first argument: the user's id, from the arguments. Synchronous. */
  userOf?: { [method: string]: (...args: any[]) => unknown }
  /**
   * Told of each look of the shadow mode, after it. Whatever it does, no call is affected. A report holds the id of the
   * user and the event, and no event text.
   */
  onShadow?(report: ShadowReport): unknown
  /** The event's id in what the old createEvent answers. @default eventId, event.id, data.id or id */
  eventIdOf?(answer: any): string | undefined
  /**
   * Whose an event is, for looks at the two-argument form of `addAttendeeToEvent` and `removeAttendeeFromEvent`: the
   * function that the service's configuration has under this name.
   */
  resolveCalendarForEvent?(eventId: string): unknown
}

export interface ShadowReport {
  method: string
  outcome: ShadowOutcome
  /** The old service said "done", and the calendar says otherwise: `missing`, `mismatch` or `leftover`. */
  silentFailure: boolean
  userId: unknown
  eventId: string | null
  /** With `mismatch`: which fields differ. */
  fields: string[]
  /** With `unverifiable`: the code of what was in the way, if it has one. */
  errorCode: string | null
  /** From the call to this report, in milliseconds. */
  elapsedMs: number
}

export type ShadowOutcome =
  /** The calendar is as the old service said. */
  | 'confirmed'
  /** The event is not there. */
  | 'missing'
  /** The event is there, with something else in a field that matters. */
  | 'mismatch'
  /** What was deleted, or the guest who was removed, is still there. */
  | 'leftover'
  /** The old service said that it failed. What it left behind is not looked for: it did not say where. */
  | 'old-failed'
  /** Nothing can be said: Google did not answer, a guest list is hidden, the old service's answer names no event. */
  | 'unverifiable'
  /** The look found something else, and meanwhile another call changed the event through this object. */
  | 'overtaken'
  /** A hundred looks waited already; nothing was read. */
  | 'left-out'

export interface ShadowCounts {
  methods: { [method: string]: { [outcome in ShadowOutcome]?: number } }
  /** Looks under way and waiting: four at once, at most a hundred waiting. */
  open: number
  /** Reports for which `onShadow` threw or rejected. */
  reportsFailed: number
}

/** What the object has of its own. */
export interface MigrationControls<Legacy, Service> {
  /** Changes switches now, for calls that begin from now on. One that is wrong changes none. */
  set(changes: Switches<Legacy, Service>): void
  /** The switches as they are, of every method that both services have. */
  switches(): { [Method in Shared<Legacy, Service>]: Switch }
  /** Where a call with these arguments goes now. */
  sideOf(method: string, ...args: unknown[]): 'old' | 'new' | 'shadow'
  shadowCounts(): ShadowCounts
  /** Resolves when no look is open: before a process ends, and in tests. */
  shadowSettled(): Promise<void>
}

type MethodNames<Owner> = {
  [Name in keyof Owner]: Owner[Name] extends (...args: any[]) => unknown ? Name : never
}[keyof Owner] &
  string

type Shared<Legacy, Service> = MethodNames<Legacy> & MethodNames<Service>

/** The old service's members by their old types, what only the new one has, and the controls. */
export type Migrated<Legacy, Service> = Omit<Legacy, 'prototype'> &
  Omit<Service, keyof Legacy | 'prototype'> &
  MigrationControls<Legacy, Service>
