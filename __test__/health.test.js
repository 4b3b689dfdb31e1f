'use strict'

// health(), as a readiness probe asks it, each part brought down in turn. (The rest of it: tests/metrics.rs.)

const { lesson } = require('./support/lessons')
const { setStage, until } = require('./support/stage')

const stage = setStage()

test('a service that is well says so, and nothing is sent to Google for it', async () => {
  const user = await stage.user()
  const service = stage.service()
  await service.createEvent(user.email, user.credentials, lesson())
  const before = (await stage.google.counts()).requests
  expect(await service.health()).toMatchObject({
    ready: true,
    status: 'ok',
    closed: false,
    store: { ok: true },
    tokenEndpoint: { ok: true, state: 'unknown' },
    openWork: { ok: true, count: 0 },
    budget: { ok: true },
    inFlight: { ok: true, count: 0, limit: 256 },
  })
  expect((await stage.google.counts()).requests).toBe(before)
})

test('a token endpoint that fails is degraded, not unready, until a renewal works again', async () => {
  const user = await stage.user()
  const service = stage.service()
  const expired = { ...user.credentials, expiry_date: 1 }
  await stage.faultFor(user, { operation: 'oauth.token', fault: { kind: 'status', status: 503 } })
  await expect(service.createEvent(user.email, expired, lesson(), { timeoutMs: 400 })).rejects.toThrow('400ms')
  // The renewal goes on without its caller: on a busy machine it learns of the failure after them.
  await until(async () => (await service.health()).tokenEndpoint.state === 'down')
  expect(await service.health()).toMatchObject({ ready: true, status: 'degraded', tokenEndpoint: { ok: false } })
  await stage.google.clearFaults()
  await service.createEvent(user.email, expired, lesson())
  expect(await service.health()).toMatchObject({ status: 'ok', tokenEndpoint: { ok: true, state: 'up' } })
})

test('a store of the program’s own that throws makes it unready, and ready again with it', async () => {
  let isDown = false
  const rows = new Map()
  const reached = () => {
    if (isDown) throw new Error('the database is down')
  }
  const store = {
    async get(key) {
      reached()
      return rows.get(key) ?? null
    },
    async put(key, value, expected) {
      reached()
      if ((rows.get(key)?.version ?? null) !== expected) return false
      rows.set(key, value)
      return true
    },
    async delete(key) {
      reached()
      return rows.delete(key)
    },
    async open() {
      reached()
      return []
    },
  }
  const service = stage.service({ store })
  expect(await service.health()).toMatchObject({ ready: true, store: { ok: true } })
  isDown = true
  expect(await service.health()).toMatchObject({ ready: false, status: 'down', store: { ok: false } })
  isDown = false
  expect(await service.health()).toMatchObject({ ready: true })
})

test('full seats are degraded, and a closed service is not ready', async () => {
  const user = await stage.user()
  const service = stage.service({ limits: { maxInFlight: 1 } })
  await stage.faultFor(user, { operation: 'events.insert', nth: 1, fault: { kind: 'hang' } })
  const leaving = new AbortController()
  const call = service.createEvent(user.email, user.credentials, lesson(), { signal: leaving.signal })
  await until(() => service.metrics().inFlight === 1)
  expect(await service.health()).toMatchObject({ ready: true, status: 'degraded', inFlight: { ok: false, count: 1 } })
  leaving.abort()
  await expect(call).rejects.toMatchObject({ code: 'ABORTED' })
  await service.close({ drainMs: 0 })
  expect(await service.health()).toMatchObject({ ready: false, status: 'down', closed: true })
})
