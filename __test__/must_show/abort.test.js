'use strict'

// An AbortSignal ends the waiting at once, wherever the call is; what a write left is settled in the background.

const { getEventListeners } = require('node:events')
const { setStage, until } = require('../support/stage')
const { lesson } = require('../support/lessons')
const { ownNow } = require('../support/own_now')

/**
 * From the abort to the rejection. The facade asks the native part how far it was, and waits 25 ms for it; the rest is a busy
 * machine's. Without the abort it would be ten seconds.
 */
const AT_ONCE_MS = 2000
const stage = setStage()
let service, user

beforeEach(async () => {
  user = await stage.user()
  service = stage.service({ retry: { baseDelayMs: 20 } })
})

/**
 * Begins a create, aborts it when `reached` says so, and gives the error and how long it took to come.
 */
async function abortWhen(reached, { calling = service, options = {} } = {}) {
  const controller = new AbortController()
  const { signal } = controller
  const call = calling.createEvent(user.email, user.accessToken, lesson(), { signal, ...options }).then(
    (result) => ({ result }),
    (error) => ({ error }),
  )
  await reached()
  const abortedAt = ownNow()
  controller.abort()
  const end = await call
  return { ...end, tookMs: ownNow() - abortedAt, signal }
}

const requests = async () => (await stage.requestsOf(user)).map(({ operation }) => operation)
const settled = (calling = service) => until(async () => (await calling.pending()).length === 0, 12000)

function expectAborted({ error, tookMs, signal }, outcome) {
  expect(error).toMatchObject({ name: 'CalendarError', code: 'ABORTED', outcome, retryable: false })
  expect(tookMs).toBeLessThan(AT_ONCE_MS)
  expect(getEventListeners(signal, 'abort')).toEqual([])
}

test('aborted before the call: not-sent, and nothing was', async () => {
  const signal = AbortSignal.abort()
  const call = service.createEvent(user.email, user.accessToken, lesson(), { signal })
  await expect(call).rejects.toMatchObject({ code: 'ABORTED', outcome: 'not-sent' })
  await expect(requests()).resolves.toEqual([])
})

test('aborted in the tick of the call: not-sent, and nothing was', async () => {
  expectAborted(await abortWhen(() => {}), 'not-sent')
  await expect(requests()).resolves.toEqual([])
})

test('aborted while resolveCalendar is asked: not-sent, and nothing is sent when it answers', async () => {
  let answer
  const asked = new Promise((resolve) => {
    answer = resolve
  })
  const calling = stage.service({ resolveCalendar: () => asked })
  expectAborted(await abortWhen(() => {}, { calling }), 'not-sent')
  answer({ calendarId: 'primary' })
  await calling.close({ drainMs: 1000 })
  await expect(requests()).resolves.toEqual([])
})

test.each([
  ['before it was stored', { kind: 'hang' }],
  ['after it was stored', { kind: 'hang', when: 'after' }],
])('aborted while the insert hangs %s: unknown, and a little later no event is left', async (_what, fault) => {
  await stage.faultFor(user, { operation: 'events.insert', nth: 1, fault })
  const end = await abortWhen(() => until(async () => (await requests()).includes('events.insert')))
  expectAborted(end, 'unknown')
  await settled()
  await expect(stage.live(user)).resolves.toEqual([])
})

test('aborted while the insert is on its way and lands late: no event is left', async () => {
  await stage.faultFor(user, { operation: 'events.insert', nth: 1, fault: { kind: 'late' } })
  const end = await abortWhen(() => until(async () => (await stage.google.counts()).held === 1))
  expectAborted(end, 'unknown')
  await settled()
  await stage.google.release()
  await expect(stage.live(user)).resolves.toEqual([])
})

test('aborted while the event is read back: a little later no event is left', async () => {
  await stage.faultFor(user, { operation: 'events.get', nth: 1, fault: { kind: 'hang' } })
  const end = await abortWhen(() => until(async () => (await requests()).includes('events.get')))
  expectAborted(end, 'unknown')
  await settled()
  await expect(stage.live(user)).resolves.toEqual([])
})

test('aborted while it waits to try again: nothing more of it is sent', async () => {
  await stage.faultFor(user, {
    operation: 'events.insert',
    fault: { kind: 'status', status: 429, retryAfterSeconds: 3 },
  })
  const end = await abortWhen(() => until(async () => (await requests()).length === 1))
  expect(end.error).toMatchObject({ code: 'ABORTED' })
  expect(end.tookMs).toBeLessThan(AT_ONCE_MS)
  await settled()
  expect((await requests()).filter((operation) => operation === 'events.insert')).toHaveLength(1)
})

test('aborted after the answer: the success stands', async () => {
  const controller = new AbortController()
  const options = { signal: controller.signal }
  const result = await service.createEvent(user.email, user.accessToken, lesson(), options)
  controller.abort()
  expect(result).toMatchObject({ success: true, verified: true })
  await expect(service.close()).resolves.toEqual([])
  await expect(stage.live(user)).resolves.toHaveLength(1)
})

test('one of two callers of one key leaves: the other gets its event', async () => {
  await stage.faultFor(user, { operation: 'events.insert', nth: 1, fault: { kind: 'latency', ms: 1500 } })
  const options = { idempotencyKey: 'shared' }
  const staying = service.createEvent(user.email, user.accessToken, lesson(), options)
  const bothAreIn = () => until(async () => service.metrics().inFlight === 2 && (await requests()).length === 1)
  const end = await abortWhen(bothAreIn, { options })
  expectAborted(end, 'unknown')
  const result = await staying
  expect(result).toMatchObject({ success: true, verified: true })
  await service.close()
  await expect(stage.live(user)).resolves.toMatchObject([{ id: result.eventId }])
})

test('AbortSignal.timeout ends a read: nothing was written', async () => {
  await stage.faultFor(user, { operation: 'events.get', fault: { kind: 'hang' } })
  const signal = AbortSignal.timeout(50)
  await expect(service.getEvent(user.email, user.accessToken, 'lesson1', { signal })).rejects.toMatchObject({
    code: 'ABORTED',
    outcome: 'not-sent',
  })
})

test.each([
  ['deleteEvent', (id, options) => service.deleteEvent(user.email, user.accessToken, id, options)],
  [
    'addAttendeeToEvent',
    (id, options) =>
      service.addAttendeeToEvent(id, 'ada@example.com', { userId: user.email, auth: user.accessToken, ...options }),
  ],
  ['updateEvent', (id, options) => service.updateEvent(user.email, user.accessToken, id, { summary: 'New' }, options)],
])('%s aborted while its write hangs is told as unknown', async (_method, act) => {
  const { eventId } = await service.createEvent(user.email, user.accessToken, lesson())
  await stage.faultFor(user, { operation: 'events.delete', fault: { kind: 'hang' } })
  await stage.faultFor(user, { operation: 'events.patch', fault: { kind: 'hang' } })
  const controller = new AbortController()
  const call = act(eventId, { signal: controller.signal })
  call.catch(() => {})
  await until(async () => (await requests()).some((operation) => /delete|patch/.test(operation)))
  controller.abort()
  await expect(call).rejects.toMatchObject({ code: 'ABORTED', outcome: 'unknown' })
})

test('leaving a list loop early asks for no further page', async () => {
  for (let index = 0; index < 5; index += 1) {
    await service.createEvent(user.email, user.accessToken, lesson({ summary: `Lesson ${index}` }))
  }
  for await (const event of service.listEvents(user.email, user.accessToken, { maxResults: 2 })) {
    expect(event.summary).toBe('Lesson 0')
    break
  }
  expect((await requests()).filter((operation) => operation === 'events.list')).toHaveLength(1)
})
