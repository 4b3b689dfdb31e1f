'use strict'

const { guestOf } = require('./attendee')
const { validation } = require('./errors')
const { eventIdOf } = require('./identity')
const { textOf } = require('./json')

/** What of an enrollment's request is not an option of the call. */
const OWN = ['userId', 'auth', 'events', 'attendee']

/** How `enroll` is performed. Nothing of the request is read twice: what was checked is what is sent. */
function enrollmentPlan(request) {
  const copy = copyOf(request)
  const { userId, auth, events, attendee } = copy
  for (const name of OWN) delete copy[name]
  const list = Array.isArray(events) ? events : []
  return {
    operation: 'enroll',
    opening: 'Failed to add attendee: ',
    writes: true,
    asked: { userId, auth, options: copy },
    recorded: list.map((event) => ({ eventId: idOr(event, null) })),
    body: () => textOf({ events: eventsOf(events), attendee: guestOf(attendee) }, 'enroll'),
    send: (addon, args, body, ticket) => addon.enroll(args, body, ticket),
  }
}

function copyOf(request) {
  if (request === null || typeof request !== 'object' || Array.isArray(request)) {
    return {} // Told by the first field that is missing, as a rejection with a record.
  }
  return { ...request }
}

const idOr = (event, otherwise) => {
  const id = typeof event === 'string' ? event : event?.eventId
  return typeof id === 'string' ? id : otherwise
}

function eventsOf(events) {
  if (!Array.isArray(events) || events.length === 0)
    throw validation('events', 'must be an array of at least one event id')
  return events.map((event) => {
    if (typeof event === 'string') return { eventId: eventIdOf(event) }
    const { eventId, calendarId } = event ?? {}
    return { eventId: eventIdOf(eventId), ...calendarOf(calendarId) }
  })
}

function calendarOf(calendarId) {
  if (calendarId === undefined || calendarId === null) return {}
  if (typeof calendarId === 'string' && calendarId !== '') return { calendarId }
  throw validation('calendarId', 'must be a non-empty string')
}

module.exports = { enrollmentPlan, calendarOf }
