'use strict'

const { configuration, validation } = require('./errors')
const { eventIdOf } = require('./identity')
const { crossingOptions, textOf } = require('./json')

/** What the messages of errors begin with; old handlers look for it. */
const OPENINGS = {
  addAttendeeToEvent: 'Failed to add attendee: ',
  removeAttendeeFromEvent: 'Failed to remove attendee: ',
}

/** Options that say whose event it is: they do not cross as options. */
const PLACE_OPTIONS = ['userId', 'auth', 'calendarId']

/**
 * How the change of one attendee is performed, but for what sends it.
 *
 * @param {object} service `entries`; `timeoutMs`; `resolve`: asks `resolveCalendarForEvent`, undefined without one
 */
function attendeePlan({ entries, timeoutMs, resolve }, operation, eventId, attendee, options) {
  return {
    operation,
    entry: entries[operation],
    writes: true,
    opening: OPENINGS[operation],
    timeoutMs,
    asked: { options, eventId: () => eventIdOf(eventId) },
    recorded: [null],
    body: () => textOf(guestOf(attendee), 'attendee'),
    kept: PLACE_OPTIONS,
    locate: (call) => placeOfEvent(call, resolve, eventId, crossingOptions(options, 'options')),
  }
}

/** An attendee as it crosses: an address, or an object with `email`, which the native part reads and refuses in full. */
function guestOf(attendee) {
  if (typeof attendee === 'string') return { email: attendee }
  if (attendee !== null && typeof attendee === 'object') return attendee
  throw validation('attendee', 'must be an e-mail address, or an object with email')
}

/** Whose event it is, and where: from the options, and what they leave open from `resolveCalendarForEvent`. */
async function placeOfEvent(call, resolve, eventId, given) {
  if (given.userId !== undefined && given.userId !== null) return given
  const asked = resolve(eventId)
  if (!asked) {
    throw configuration(
      `${call.operation} needs options.userId, or resolveCalendarForEvent in the configuration. Nothing was sent to Google.`,
    )
  }
  const answer = await call.bounded(asked, 'resolveCalendarForEvent')
  if (answer === null || typeof answer !== 'object' || (answer.userId ?? null) === null) {
    throw configuration('resolveCalendarForEvent must return an object with userId. Nothing was sent to Google.')
  }
  return {
    userId: answer.userId,
    auth: given.auth ?? answer.auth ?? null,
    calendarId: given.calendarId ?? answer.calendarId,
  }
}

module.exports = { attendeePlan, guestOf }
