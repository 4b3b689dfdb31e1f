'use strict'

// What becomes of connections under a pool: closed, reset, refused, silent. Each test has an emulator of its own
// connections, so these run one after another.

const { setStage } = require('../support/stage')
const { lesson } = require('../support/lessons')

const stage = setStage()
let service, user

beforeEach(async () => {
  user = await stage.user()
  service = stage.service({ timeoutMs: 3000, attemptTimeoutMs: 500, retry: { baseDelayMs: 20 } })
  // A connection is in the pool.
  await service.createEvent(user.email, user.accessToken, lesson({ summary: 'Before' }))
})

const create = (options) => service.createEvent(user.email, user.accessToken, lesson(), options)
const live = async () => (await stage.live(user)).map(({ summary }) => summary).sort()
const inserts = async () =>
  (await stage.requestsOf(user)).filter(({ operation, committed }) => operation === 'events.insert' && committed).length

test.each([
  ['closed while idle', () => stage.google.closeIdle()],
  ['reset', () => stage.google.resetConnections()],
  ['black-holed', () => stage.google.blackHole()],
])('pooled connections that were %s: the next create succeeds, with one event', async (_what, strike) => {
  await expect(strike()).resolves.toBeGreaterThan(0)
  await expect(create()).resolves.toMatchObject({ success: true, verified: true })
  await expect(live()).resolves.toEqual(['Algebra', 'Before'])
  await expect(inserts()).resolves.toBe(2)
})

test('a reset in the middle of 20 creates: each is told rightly, and there are 20 events', async () => {
  await stage.faultFor(user, { operation: 'events.*', fault: { kind: 'latency', ms: 60 }, times: 30 })
  const calls = Promise.allSettled(Array.from({ length: 20 }, () => create({ timeoutMs: 10000 })))
  await stage.google.resetConnections()
  const answers = await calls
  expect(answers.map(({ value, reason }) => value?.verified ?? reason)).toEqual(Array(20).fill(true))
  expect((await live()).filter((summary) => summary === 'Algebra')).toHaveLength(20)
})

test('a server that refuses connections: not-sent, and well again when it is back', async () => {
  await stage.google.outage(true)
  // A service without a pool: a request on a connection that is just being reset is rightly told as unknown.
  service = stage.service({ timeoutMs: 1200, retry: { baseDelayMs: 20 } })
  const error = await create().then(
    () => null,
    (thrown) => thrown,
  )
  await stage.google.outage(false)
  expect(error).toMatchObject({ outcome: 'not-sent', retryable: true })
  expect(['NETWORK_ERROR', 'TIMEOUT']).toContain(error.code)
  await expect(live()).resolves.toEqual(['Before'])
  await expect(create()).resolves.toMatchObject({ success: true, verified: true })
})

test('an outage in the middle of a create is waited out', async () => {
  await stage.google.outage(true)
  const call = create({ maxRetries: 50 })
  await new Promise((resolve) => {
    setTimeout(resolve, 200)
  })
  await stage.google.outage(false)
  await expect(call).resolves.toMatchObject({ success: true, verified: true })
  await expect(live()).resolves.toEqual(['Algebra', 'Before'])
})
