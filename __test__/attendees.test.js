'use strict'

// addAttendeeToEvent and removeAttendeeFromEvent from JavaScript: whose event it is, what comes back, what is refused.

const { setStage, until } = require('./support/stage')
const { lesson } = require('./support/lessons')

const stage = setStage()
const ADA = { email: 'ada@example.com', responseStatus: 'accepted', comment: 'I come', additionalGuests: 1 }

/** A service, a user, and an event of theirs with one guest who has answered. */
async function scene(config = {}) {
  const user = await stage.user()
  const records = []
  const service = stage.service({ onOperation: (record) => records.push(record), ...config })
  const { eventId } = await service.createEvent(user.email, user.accessToken, lesson())
  await stage.google.ownerEdit(user.calendarId, eventId, { attendees: [ADA] })
  records.length = 0
  const mine = { userId: user.email, auth: user.accessToken }
  const guests = async () => (await stage.live(user))[0].attendees ?? []
  return { user, service, records, eventId, mine, guests }
}

test('an add invites, is recorded and leaves others as they were; a remove takes off', async () => {
  const { service, records, eventId, mine, guests } = await scene()
  const context = { request: 7 }
  const added = await service.addAttendeeToEvent(
    eventId,
    { email: 'bob@example.com', displayName: 'Bob', optional: true },
    { ...mine, context },
  )
  expect(added).toEqual({
    success: true,
    alreadyAdded: false,
    attendeeCount: 2,
    verified: true,
    eventId,
    attempts: 3,
    warnings: [],
    calendarType: 'primary',
    secondaryCalendarId: null,
    subscriptionPlan: null,
  })
  const bob = { email: 'bob@example.com', displayName: 'Bob', optional: true, responseStatus: 'needsAction' }
  await expect(guests()).resolves.toEqual([ADA, bob])
  expect(records).toMatchObject([
    { operation: 'ADD_ATTENDEE', status: 'SUCCESS', googleEventId: eventId, verified: true, attempts: 3, context },
  ])
  expect(JSON.stringify(records)).not.toContain('bob@')

  const removed = await service.removeAttendeeFromEvent(eventId, 'BOB@example.com', mine)
  expect(removed).toMatchObject({ success: true, alreadyRemoved: false, attendeeCount: 1, verified: true })
  const again = await service.removeAttendeeFromEvent(eventId, 'bob@example.com', mine)
  expect(again).toMatchObject({ success: true, alreadyRemoved: true, attendeeCount: 1 })
  await expect(guests()).resolves.toEqual([ADA])
  const { operations } = service.metrics()
  expect(operations.addAttendeeToEvent).toMatchObject({ succeeded: 1, verified: 1 })
  expect(operations.removeAttendeeFromEvent).toMatchObject({ succeeded: 2, verified: 2 })
})

test('the methods work without their object', async () => {
  const { service, eventId, mine, guests } = await scene()
  const { addAttendeeToEvent, removeAttendeeFromEvent } = service
  await addAttendeeToEvent(eventId, 'bob@example.com', mine)
  await removeAttendeeFromEvent(eventId, 'ada@example.com', mine)
  await expect(guests()).resolves.toMatchObject([{ email: 'bob@example.com' }])
})

test('with two arguments resolveCalendarForEvent is asked, each time', async () => {
  const asked = []
  const { user, service, eventId, guests } = await scene({
    resolveCalendarForEvent: (id) => {
      asked.push(id)
      return { userId: user_().email, calendarId: user_().calendarId, auth: user_().accessToken }
    },
  })
  function user_() {
    return user
  }
  await service.addAttendeeToEvent(eventId, 'bob@example.com')
  await service.addAttendeeToEvent(eventId, 'cid@example.com', { sendUpdates: 'none' })
  expect(asked).toEqual([eventId, eventId])
  await expect(guests()).resolves.toHaveLength(3)
  const mails = await stage.google.mails()
  expect(mails.filter((mail) => mail.calendarId === user.calendarId).map((mail) => mail.to)).toEqual([
    'bob@example.com',
  ])
})

test.each([
  ['no resolveCalendarForEvent and no userId', {}, 'CONFIGURATION'],
  ['one that answers nothing', { resolveCalendarForEvent: () => null }, 'CONFIGURATION'],
  ['one without userId', { resolveCalendarForEvent: () => ({ calendarId: 'primary' }) }, 'CONFIGURATION'],
  [
    'one that throws',
    {
      resolveCalendarForEvent: () => {
        throw new Error('the database is down')
      },
    },
    'STORE_UNAVAILABLE',
  ],
])('with %s nothing is sent', async (_what, config, code) => {
  const { user, service, eventId } = await scene(config)
  const before = (await stage.requestsOf(user)).length
  await expect(service.addAttendeeToEvent(eventId, 'bob@example.com')).rejects.toMatchObject({
    code,
    outcome: 'not-sent',
    message: expect.stringMatching(/^Failed to add attendee: /),
  })
  await expect(stage.requestsOf(user)).resolves.toHaveLength(before)
})

test('a resolveCalendarForEvent that never answers ends with the call’s time', async () => {
  const { service, eventId } = await scene({ resolveCalendarForEvent: () => new Promise(() => {}) })
  await expect(service.removeAttendeeFromEvent(eventId, 'bob@example.com', { timeoutMs: 60 })).rejects.toMatchObject({
    code: 'TIMEOUT',
    outcome: 'not-sent',
    message: expect.stringMatching(/^Failed to remove attendee: removeAttendeeFromEvent timed out after 60ms/),
  })
})

test.each([
  ['no attendee', undefined],
  ['a number', 7],
  ['no address', 'bob'],
  ['two addresses', 'bob@example.com, cid@example.com'],
  ['a header', 'bob@example.com\r\nBcc: cid@example.com'],
  ['an unknown field', { email: 'bob@example.com', responseStatus: 'accepted' }],
])('%s is refused before anything is sent', async (_what, attendee) => {
  const { user, service, eventId, mine } = await scene()
  const before = (await stage.requestsOf(user)).length
  const error = await service.addAttendeeToEvent(eventId, attendee, mine).catch((thrown) => thrown)
  expect(error).toMatchObject({ code: 'VALIDATION_FAILED', outcome: 'not-sent', operation: 'addAttendeeToEvent' })
  expect(error.message).not.toContain('bob@')
  await expect(stage.requestsOf(user)).resolves.toHaveLength(before)
})

test('an attendee has attendees.timeoutMs, which can be changed at run time', async () => {
  const { user, service, eventId, mine } = await scene({ attendees: { timeoutMs: 150 } })
  await stage.faultFor(user, { operation: 'events.get', fault: { kind: 'hang' } })
  const add = () => service.addAttendeeToEvent(eventId, 'bob@example.com', mine)
  await expect(add()).rejects.toThrow('addAttendeeToEvent timed out after 150ms')
  service.configure({ attendees: { timeoutMs: 250, onTimeout: 'skip' } })
  await expect(add()).rejects.toThrow('addAttendeeToEvent timed out after 250ms')
  expect(() => service.configure({ attendees: { onTimeout: 'never' } })).toThrow('attendees.onTimeout')
})

test('an abort during the write is told unknown, and a second record tells that it was taken back', async () => {
  const { user, service, records, eventId, mine, guests } = await scene()
  await stage.faultFor(user, { operation: 'events.patch', nth: 1, fault: { kind: 'latency', ms: 400 } })
  const controller = new AbortController()
  const add = service.addAttendeeToEvent(eventId, 'bob@example.com', { ...mine, signal: controller.signal })
  await until(async () => (await guests()).length === 2)
  controller.abort()
  await expect(add).rejects.toMatchObject({ code: 'ABORTED', outcome: 'unknown' })
  await until(() => records.length === 2)
  expect(records).toMatchObject([
    { operation: 'ADD_ATTENDEE', status: 'FAILURE', errorCode: 'ABORTED' },
    { operation: 'ADD_ATTENDEE', googleEventId: eventId, settled: 'deleted' },
  ])
  await expect(guests()).resolves.toEqual([ADA])
})

test('a guest’s copy and a hidden list are refused, and told apart', async () => {
  const { user, service, mine } = await scene()
  const copy = await stage.google.putEvent(user.calendarId, { ...lesson(), organizer: { email: 'o@example.com' } })
  const hidden = await stage.google.putEvent(user.calendarId, { ...lesson(), attendeesOmitted: true })
  await expect(service.addAttendeeToEvent(copy.id, 'bob@example.com', mine)).rejects.toMatchObject({
    code: 'CONFLICT',
    outcome: 'rejected',
  })
  await expect(service.addAttendeeToEvent(hidden.id, 'bob@example.com', mine)).rejects.toMatchObject({
    code: 'ATTENDEES_HIDDEN',
    outcome: 'rejected',
  })
})
