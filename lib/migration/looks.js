'use strict'

// What is looked at after each write of the old service. A look only reads. It answers { outcome, fields?, errorCode? }.

const CONFIRMED = { outcome: 'confirmed' }

/** What `verifyEvent` says, in the words of a report. The values that differ stay where they are: they are event text. */
function verdictOf(answer) {
  if (answer.verified) return CONFIRMED
  if (answer.mismatches) return { outcome: 'mismatch', fields: answer.mismatches.map(({ field }) => field) }
  // Without a code, it was read: there is none.
  return answer.errorCode === undefined ? { outcome: 'missing' } : unread(answer.errorCode, 'missing')
}

/** A look that did not come to an event. `absent` is what it means that there is none. */
function unread(errorCode, absent) {
  if (errorCode === 'NOT_FOUND') return absent === 'confirmed' ? CONFIRMED : { outcome: absent }
  return { outcome: 'unverifiable', errorCode: errorCode ?? null }
}

const hasGuest = (event, email) =>
  (event.attendees ?? []).some((attendee) => attendee.email?.toLowerCase() === String(email).toLowerCase())

/** Options of the call that say where the event is. */
const placeIn = (options) => (typeof options?.calendarId === 'string' ? { calendarId: options.calendarId } : {})

/**
 * Reads until the event is as `wanted`, twice at most: right after a write, Google may still show what was before.
 *
 * @param {(event: object) => object} verdict
 */
async function lookTwice({ service, pause }, at, verdict, absent) {
  const look = async () => {
    try {
      const { event } = await service.getEvent(at.userId, at.auth, at.eventId, at.options)
      return verdict(event)
    } catch (error) {
      return unread(error?.code, absent)
    }
  }
  const first = await look()
  if (first.outcome === 'confirmed' || first.outcome === 'unverifiable') return first
  await pause()
  return look()
}

/** A look by `verifyEvent`. */
const verified = async ({ service }, at, asked) =>
  verdictOf(await service.verifyEvent(at.userId, at.auth, at.eventId, asked, at.options))

/**
 * For each method: `where` the event is (from the call's arguments, before it; `eventId` may come with the answer),
 * what was `asked` (data, kept as text meanwhile), and the `look`.
 */
const LOOKS = {
  createEvent: {
    where: ([userId, auth, , options]) => ({ userId, auth, options: placeIn(options) }),
    asked: ([, , eventData]) => eventData,
    look: verified,
  },
  updateEvent: {
    where: ([userId, auth, eventId, , options]) => ({ userId, auth, eventId, options: placeIn(options) }),
    asked: ([, , , changes]) => changes,
    look: verified,
  },
  deleteEvent: {
    where: ([userId, auth, eventId, options]) => ({ userId, auth, eventId, options: placeIn(options) }),
    asked: () => null,
    look: async (tools, at) => {
      return lookTwice(tools, at, () => ({ outcome: 'leftover' }), 'confirmed')
    },
  },
  addAttendeeToEvent: {
    where: ([eventId, , options]) => ({ ...ofGuest(options), eventId }),
    asked: ([, email]) => ({ attendees: [{ email }] }),
    look: verified,
  },
  removeAttendeeFromEvent: {
    where: ([eventId, , options]) => ({ ...ofGuest(options), eventId }),
    asked: ([, email]) => email,
    look: async (tools, at, email) => {
      const verdict = (event) => {
        if (hasGuest(event, email)) return { outcome: 'leftover', fields: ['attendees'] }
        return event.attendeesOmitted ? { outcome: 'unverifiable', errorCode: null } : CONFIRMED
      }
      return lookTwice(tools, at, verdict, 'missing')
    },
  },
}

/** The two-argument form names neither user nor calendar; the program's `resolveCalendarForEvent` does, later. */
const ofGuest = (options) => ({ userId: options?.userId, auth: options?.auth ?? null, options: placeIn(options) })

/** The id of an event that was made, wherever the old service's answer has it. */
function eventIdIn(answer) {
  if (typeof answer === 'string') return answer
  const id = answer?.eventId ?? answer?.event?.id ?? answer?.data?.id ?? answer?.id
  return typeof id === 'string' && id !== '' ? id : undefined
}

module.exports = { LOOKS, eventIdIn }
