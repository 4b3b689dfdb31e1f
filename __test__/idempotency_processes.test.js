'use strict'

// Several real processes on one store: what a claim is worth when its owner dies, stops, or is one of many.

const path = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')
const { Backends } = require('./support/backends')
const { begin, exchange, jsonOf } = require('./support/exchange')
const { lesson } = require('./support/lessons')
const { startRedis } = require('./support/redis_server')
const { setStage, until } = require('./support/stage')
const { ownNow } = require('./support/own_now')

const stage = setStage()

/** The shortest there is. */
const LEASE_MS = 1000

const STORES = process.env.SURECAL_SKIP_REDIS === '1' ? ['sqlite'] : ['sqlite', 'redis']

describe.each(STORES)('over %s', (kind) => {
  let backends, redis, store
  beforeEach(async () => {
    backends = new Backends()
    redis = kind === 'redis' ? await startRedis() : undefined
    store = redis ? { redis: redis.url } : { sqlite: path.join(backends.folder, 'store.db') }
  })
  afterEach(async () => {
    await backends.stop()
    await redis?.stop()
  })

  const start = (more = {}) => backends.start({ store, leaseMs: LEASE_MS, ...more })
  const asked = (url, key = 'k1', json = {}) => ({ path: url, json, headers: { 'Idempotency-Key': key } })

  /** Asks again as a client does, until it is no longer told to wait. */
  async function settled(port, request) {
    for (;;) {
      const answer = await exchange(port, request)
      if (answer.status !== 409) return answer
      await sleep(25)
    }
  }

  test('1,000 requests with 50 keys over 4 processes run 50 handlers, and each key has one answer', async () => {
    const ports = await Promise.all([start(), start(), start(), start()].map(async (one) => (await one).port))
    const requests = Array.from({ length: 1000 }, (_, index) => {
      const request = asked('/work?ms=30', `key-${index % 50}`)
      return settled(ports[(index * 7 + Math.floor(index / 50)) % 4], request)
    })
    const answers = await Promise.all(requests)
    expect(backends.runs()).toHaveLength(50)
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
    expect(new Set(answers.map(({ body }) => body.toString())).size).toBe(50)
    expect(answers.filter(({ headers }) => headers['idempotent-replayed'] === undefined)).toHaveLength(50)
  }, 60000)

  test('a process that is killed in its handler gives the key free after the lease, and not before', async () => {
    const [first, second] = await Promise.all([start(), start()])
    const lost = begin(first.port, asked('/hang')).answer.catch(() => {})
    await until(() => backends.runs().length === 1)
    // The lease is renewed while the handler runs: it outlives its own length.
    await sleep(LEASE_MS * 1.5)
    first.child.kill('SIGKILL')
    await lost
    const killedAt = performance.now()
    const ownKilledAt = ownNow()
    const early = await exchange(second.port, asked('/hang', 'k1'))
    expect(early.status).toBe(409)
    second.child.send('go on')
    const answer = await settled(second.port, asked('/hang', 'k1'))
    const freeAfter = performance.now() - killedAt
    const ownFreeAfter = ownNow() - ownKilledAt
    expect(jsonOf(answer)).toEqual({ by: second.pid })
    expect(freeAfter).toBeGreaterThan(LEASE_MS / 4)
    expect(ownFreeAfter).toBeLessThan(LEASE_MS + 1500)
    expect(backends.runs().map(({ pid }) => pid)).toEqual([first.pid, second.pid])
  })

  test('a process that stood still longer than its lease cannot complete: the other’s answer stands', async () => {
    const [first, second] = await Promise.all([start(), start()])
    const late = begin(first.port, asked('/hang')).answer
    await until(() => backends.runs().length === 1)
    first.child.kill('SIGSTOP')
    second.child.send('go on')
    const taken = await settled(second.port, asked('/hang'))
    expect(jsonOf(taken)).toEqual({ by: second.pid })
    first.child.kill('SIGCONT')
    first.child.send('go on')
    expect(jsonOf(await late)).toMatchObject({ status: 'duplicate' })
    for (const { port } of [first, second]) {
      const again = await exchange(port, asked('/hang'))
      expect(again.body).toEqual(taken.body)
      expect(again.headers['idempotent-replayed']).toBe('true')
    }
  })

  test('killed between the event and its record, the repeated request comes to the one event', async () => {
    const user = await stage.user()
    const { config } = stage.google
    const [first, second] = await Promise.all([start(config), start(config)])
    const body = { token: user.accessToken, lesson: lesson() }
    const request = asked('/event', 'k1', body)
    const dying = { ...request, headers: { ...request.headers, 'X-Die': 'yes' } }
    await expect(exchange(first.port, dying)).rejects.toThrow()
    expect(await stage.google.events(user.email, { live: true })).toHaveLength(1)
    const answer = await settled(second.port, request)
    expect(answer.status).toBe(201)
    const live = await stage.google.events(user.email, { live: true })
    expect(live.map(({ id }) => id)).toEqual([jsonOf(answer).eventId])
  })

  test('what one process clears is cleared for all', async () => {
    const { port } = await start()
    const first = await exchange(port, asked('/work?ms=0'))
    expect((await exchange(port, asked('/work?ms=0'))).body).toEqual(first.body)
    const { CalendarService } = require('../index.js')
    const service = new CalendarService({ store })
    await service.clearIdempotency()
    await service.close()
    // The other process looks once a second.
    await until(async () => (await exchange(port, asked('/work?ms=0'))).headers['idempotent-replayed'] === undefined)
    expect(backends.runs()).toHaveLength(2)
  })
})

const withRedis = process.env.SURECAL_SKIP_REDIS === '1' ? describe.skip : describe

withRedis('a Redis that stands still', () => {
  let backends, redis
  beforeEach(async () => {
    backends = new Backends()
    redis = await startRedis()
  })
  afterEach(async () => {
    redis.goOn()
    await backends.stop()
    await redis.stop()
  })

  test('before the claim: 503 within the deadline, no run; served again when Redis is', async () => {
    const { port } = await backends.start({ store: { redis: redis.url }, timeoutMs: 2000 })
    const request = (key) => ({ path: '/work?ms=0', json: {}, headers: { 'Idempotency-Key': key } })
    expect((await exchange(port, request('k1'))).status).toBe(201)
    redis.pause()
    const askedAt = ownNow()
    const refused = await exchange(port, request('k2'))
    expect(refused.status).toBe(503)
    expect(jsonOf(refused).code).toBe('STORE_UNAVAILABLE')
    expect(ownNow() - askedAt).toBeLessThan(3500)
    expect(backends.runs()).toHaveLength(1)
    redis.goOn()
    await until(async () => (await exchange(port, request('k3'))).status === 201)
  })

  test('while the handler runs: the answer is given within the deadline, and its record is done or free, never both', async () => {
    const { port, child } = await backends.start({ store: { redis: redis.url }, timeoutMs: 2000, leaseMs: 1000 })
    const request = { path: '/hang', json: {}, headers: { 'Idempotency-Key': 'k1' } }
    const { answer } = begin(port, request)
    await until(() => backends.runs().length === 1)
    redis.pause()
    const toldAt = ownNow()
    child.send('go on')
    const first = await answer
    expect(first.status).toBe(201)
    expect(ownNow() - toldAt).toBeLessThan(8000)
    redis.goOn()
    await sleep(200)
    let again
    await until(async () => {
      again = await exchange(port, request)
      return again.status === 201
    })
    const replayed = again.headers['idempotent-replayed'] === 'true'
    expect(backends.runs()).toHaveLength(replayed ? 1 : 2)
    if (replayed) expect(again.body).toEqual(first.body)
  })
})
