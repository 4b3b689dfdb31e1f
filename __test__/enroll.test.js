'use strict'

// enroll from JavaScript: on every event or on none, what is told and recorded of each.

const { CalendarError } = require('surecal')
const { setStage, until } = require('./support/stage')
const { classScene, slowScene } = require('./support/class_scene')

const stage = setStage()
const EVA = 'eva@example.com'

test('an enrollment is on every event, and each of them is recorded without the address', async () => {
  const { service, records, mine, ids, places } = await classScene(stage)
  const context = { request: 7 }
  const told = await service.enroll({ ...mine, events: ids, attendee: EVA, context })
  expect(told).toMatchObject({ success: true, verified: true, skipped: [], replayed: false, warnings: [] })
  expect(told.events).toEqual(
    ids.map((eventId) => ({ eventId, alreadyAdded: false, verified: true, attendeeCount: 1 })),
  )
  await expect(places(EVA)).resolves.toBe(3)
  expect(records).toMatchObject(
    ids.map((googleEventId) => ({ operation: 'ENROLL', status: 'SUCCESS', googleEventId, verified: true, context })),
  )
  expect(JSON.stringify(records)).not.toContain('eva@')
  expect(service.metrics().operations.enroll).toMatchObject({ succeeded: 1, verified: 1 })
})

test('one event that refuses leaves nobody on the others, and the error says so', async () => {
  const { service, records, mine, ids, places, refuse } = await classScene(stage)
  const { enroll } = service
  await refuse(ids[2])
  const error = await enroll({ ...mine, events: ids, attendee: { email: EVA, displayName: 'Eva' } }).catch((e) => e)
  expect(CalendarError.is(error)).toBe(true)
  expect(error.message).toMatch(/^Failed to add attendee: (?!Failed)/)
  expect(error).toMatchObject({ code: 'PERMISSION_DENIED', outcome: 'rejected', operation: 'enroll', eventId: ids[2] })
  expect([...error.rolledBack].sort()).toEqual(ids.slice(0, 2).sort())
  expect(error).toMatchObject({ rollbackFailed: [], rollbackPending: [], notReached: [] })
  await expect(places(EVA)).resolves.toBe(0)
  expect(records).toHaveLength(3)
  expect(records).toMatchObject(ids.map((googleEventId) => ({ status: 'FAILURE', googleEventId })))
  await expect(service.pending()).resolves.toEqual([])
})

test('the same key is answered the same, and for another enrollment it is refused', async () => {
  const { service, mine, ids } = await classScene(stage)
  const asked = { ...mine, events: ids, attendee: EVA, idempotencyKey: 'e1' }
  const [one, two] = await Promise.all([service.enroll(asked), service.enroll(asked)])
  expect(one.events).toEqual(two.events)
  expect([one.replayed, two.replayed].sort()).toEqual([false, true])
  await expect(service.enroll({ ...asked, attendee: 'bob@example.com' })).rejects.toMatchObject({
    code: 'IDEMPOTENCY_KEY_REUSED',
  })
})

test('an undo that Google refuses is told, listed, and done when Google is back', async () => {
  const { service, user, records, mine, ids, places, refuse } = await classScene(stage, { lessons: 2 })
  await refuse(ids[1])
  await stage.faultFor(user, {
    operation: 'events.patch',
    match: { eventId: ids[0] },
    nth: 2,
    times: 1000,
    fault: { kind: 'status', status: 403, reason: 'forbidden' },
  })
  const error = await service.enroll({ ...mine, events: ids, attendee: EVA }).catch((e) => e)
  expect(error).toMatchObject({ outcome: 'unknown', rolledBack: [], rollbackFailed: [ids[0]] })
  const [pending] = await service.pending()
  expect(pending).toMatchObject({ operation: 'enroll', eventIds: [ids[0]], userId: user.email })
  expect(JSON.stringify(pending)).not.toContain('eva@')
  await stage.google.clearFaults()
  await until(async () => (await service.recover()).length === 0)
  await expect(places(EVA)).resolves.toBe(0)
  const second = await until(() => records.find((record) => record.settled))
  expect(second).toMatchObject({ operation: 'ENROLL', googleEventId: ids[0], settled: 'deleted' })
})

test('an event that takes too long is left out where the rollback plan says so', async () => {
  const { service, records, logged, mine, ids, slow, places } = await slowScene(stage)
  const told = await service.enroll({ ...mine, events: ids, attendee: EVA })
  expect(told).toMatchObject({ success: true, verified: false, skipped: [slow] })
  expect(told.warnings).toMatchObject([{ code: 'SKIPPED' }])
  expect(records[1]).toMatchObject({ status: 'FAILURE', googleEventId: slow, errorCode: 'TIMEOUT' })
  const line = logged.find(({ message }) => message.includes(slow))
  expect(line).toMatchObject({ level: 'warn' })
  const second = await until(() => records.find((record) => record.settled))
  expect(second).toMatchObject({ googleEventId: slow, settled: 'deleted' })
  await expect(places(EVA)).resolves.toBe(2)
  expect(JSON.stringify([records, logged])).not.toContain('eva@')
})

test('an abort is told at once and leaves nobody behind', async () => {
  const { service, user, mine, ids, places } = await classScene(stage)
  await stage.faultFor(user, { operation: 'events.patch', fault: { kind: 'latency', ms: 300 } })
  const controller = new AbortController()
  const call = service.enroll({ ...mine, events: ids, attendee: EVA, signal: controller.signal }).catch((e) => e)
  await until(async () => (await stage.requestsOf(user)).some(({ operation }) => operation === 'events.patch'))
  controller.abort()
  expect(await call).toMatchObject({ code: 'ABORTED', outcome: 'unknown' })
  await stage.google.clearFaults()
  await until(async () => (await service.recover()).length === 0 && service.metrics().openWork === 0)
  await expect(places(EVA)).resolves.toBe(0)
})

test.each([
  [{ events: [], attendee: EVA }, 'events'],
  [{ events: 'e1', attendee: EVA }, 'events'],
  [{ events: ['e1', 'e1'], attendee: EVA }, 'events'],
  [{ events: [7], attendee: EVA }, 'eventId'],
  [{ events: [{ eventId: 'e1', calendarId: 7 }], attendee: EVA }, 'calendarId'],
  [{ events: ['e1'] }, 'attendee'],
  [{ events: ['e1'], attendee: 'nobody' }, 'attendee.email'],
  [{ events: ['e1'], attendee: EVA, attende: EVA }, 'options.attende'],
  [{ events: ['e1'], attendee: EVA, userId: '' }, 'userId'],
])('what is no enrollment is refused with the name of the field, nothing sent: %j', async (request, field) => {
  const user = await stage.user()
  const service = stage.service()
  const mine = { userId: user.email, auth: user.accessToken }
  const error = await service.enroll({ ...mine, ...request }).catch((e) => e)
  expect(error).toMatchObject({ code: 'VALIDATION_FAILED', outcome: 'not-sent', field })
  expect(error.message).not.toContain('nobody')
  await expect(stage.requestsOf(user)).resolves.toEqual([])
})
