'use strict'

// The rollback plan of the implementation guide: each switch is the snippet of MIGRATION.md, run in a backend that is
// serving, and then taken back. One service, one server, never started again.

const { once } = require('node:events')
const express = require('express')
const { setStage } = require('./support/stage')
const { blocks, rollback } = require('./support/migration_guide')
const { memoryStore, tokenPeople } = require('./support/token_people')
const { lesson } = require('./support/lessons')

const stage = setStage({ seed: 614 })
const people = tokenPeople(stage)

let service, server, store, runs
/** What handlers saw of the token check. */
let seen

beforeAll(async () => {
  store = memoryStore()
  runs = 0
  service = stage.service({ tokenStore: store, timeoutMs: 10000 })
  const app = express()
  app.use(express.json(), (req, _res, next) => {
    req.userId = req.get('x-user')
    req.user = { email: req.userId }
    next()
  })
  app.post('/counted', service.idempotency(), (_req, res) => res.status(201).json({ run: (runs += 1) }))
  app.post('/events', service.requireGoogleAuth(), async (req, res, next) => {
    seen = { valid: req.googleTokenValid, error: req.googleTokenError?.code }
    try {
      res.json(await service.createEvent(req.userId, req.googleOAuth2Client ?? null, lesson(), req.body))
    } catch (error) {
      next(error)
    }
  })
  app.use(service.errorHandler())
  server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(async () => {
  server.closeAllConnections()
  await once(server.close(), 'close')
})
beforeEach(() => {
  seen = undefined
})
afterEach(() => stage.google.clearFaults())

const flip = (name) => rollback(name)(service)

async function connected() {
  const user = await people.user()
  store.tokens[user.email] = user.credentials
  return user
}

async function post(path, user, { key, body = {} } = {}) {
  const response = await fetch(`http://127.0.0.1:${server.address().port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-user': user.email, ...(key && { 'x-idempotency-key': key }) },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: await response.json() }
}

const operationsOf = async (user) => (await stage.requestsOf(user)).map(({ operation }) => operation)

describe('1: event verification', () => {
  // Google stores other content, and does so again when it is put right.
  async function garbled() {
    const user = await connected()
    const fault = { kind: 'corrupt', fields: { summary: 'Different' } }
    await stage.faultFor(user, { operation: 'events.insert', fault })
    await stage.faultFor(user, { operation: 'events.patch', fault })
    return user
  }

  test('switched off, events are created and not verified; switched on again, they are', async () => {
    const before = await garbled()
    expect((await post('/events', before)).body).toMatchObject({ success: false, errorCode: 'VERIFICATION_FAILED' })
    await expect(stage.live(before)).resolves.toEqual([])

    await flip('verification')
    const during = await garbled()
    expect(await post('/events', during)).toMatchObject({ status: 200, body: { success: true, verified: false } })
    await expect(stage.live(during)).resolves.toHaveLength(1)
    expect(await operationsOf(during)).toEqual(['events.insert'])

    await flip('verification-back')
    const after = await garbled()
    expect((await post('/events', after)).body).toMatchObject({ success: false, errorCode: 'VERIFICATION_FAILED' })
    await expect(stage.live(after)).resolves.toEqual([])
  })

  test('skipVerification does so for one call', async () => {
    const user = await connected()
    const skipped = await post('/events', user, { body: { skipVerification: true } })
    expect(skipped.body).toMatchObject({ success: true, verified: false })
    expect(await operationsOf(user)).toEqual(['events.insert'])
    expect((await post('/events', user)).body).toMatchObject({ success: true, verified: true })
  })
})

describe('2: the token check', () => {
  test('switched off, requests go on without a token as before; switched on again, they are answered 401', async () => {
    const user = await connected()
    await stage.google.revokeTokens({ email: user.email })
    store.tokens[user.email] = { ...user.credentials, expiry_date: Date.now() }

    expect(await post('/events', user)).toMatchObject({ status: 401, body: { code: 'GOOGLE_AUTH_FAILED' } })
    expect(seen).toBeUndefined()

    await flip('tokens')
    expect(await post('/events', user)).toMatchObject({ status: 401, body: { code: 'GOOGLE_AUTH_REQUIRED' } })
    expect(seen).toEqual({ valid: false, error: 'TOKEN_REFRESH_FAILED' })
    // Users whose grant is well can still use the calendar.
    expect(await post('/events', await connected())).toMatchObject({ status: 200, body: { verified: true } })
    expect(seen).toEqual({ valid: true, error: undefined })

    seen = undefined
    await flip('tokens-back')
    expect(await post('/events', user)).toMatchObject({ status: 401, body: { code: 'GOOGLE_AUTH_FAILED' } })
    expect(seen).toBeUndefined()
  })
})

describe('4: idempotency', () => {
  test('switched off, every request reaches its handler and nothing is kept; switched on again, it starts anew', async () => {
    const user = await connected()
    const ask = async () => (await post('/counted', user, { key: 'one-key' })).body.run
    const first = await ask()
    expect([await ask(), await ask()]).toEqual([first, first])

    await flip('idempotency')
    expect([await ask(), await ask()]).toEqual([first + 1, first + 2])

    await flip('idempotency-back')
    // What was kept before is forgotten: cleared.
    expect([await ask(), await ask()]).toEqual([first + 3, first + 3])
  })
})

describe('5: the timeout', () => {
  async function slow() {
    const user = await connected()
    await stage.faultFor(user, { operation: 'events.insert', fault: { kind: 'latency', ms: 900 } })
    return user
  }
  const timedOut = (ms) => ({
    status: 504,
    body: { code: 'TIMEOUT', message: expect.stringContaining(`timed out after ${ms}ms`) },
  })

  test('lengthened, what timed out is waited for; taken back, it times out again', async () => {
    service.configure({ timeoutMs: 300, attemptTimeoutMs: 300 })
    expect(await post('/events', await slow())).toMatchObject(timedOut(300))

    service.configure({ attemptTimeoutMs: null })
    await flip('timeouts')
    expect(await post('/events', await slow())).toMatchObject({ status: 200, body: { verified: true } })
    await flip('timeouts-back')
    service.configure({ timeoutMs: 300 })
    expect(await post('/events', await slow())).toMatchObject(timedOut(300))
    await flip('timeouts-back')
    expect(await post('/events', await slow())).toMatchObject({ status: 200, body: { verified: true } })
  })
})

describe('5: the timeout, by what a call is willing to wait for', () => {
  // A wait that would pass the deadline is not begun: Google's word for it tells how long the deadline is.
  const retryAfter = (retryAfterSeconds) => ({ kind: 'status', status: 429, retryAfterSeconds })

  /** What became of a create within half a second, which Google asks to wait. */
  async function askedToWait(seconds) {
    const user = await connected()
    await stage.faultFor(user, { operation: 'events.insert', fault: retryAfter(seconds) })
    const leaving = new AbortController()
    const call = service.createEvent(user.email, user.credentials, lesson(), { signal: leaving.signal })
    const outcome = call.catch(({ code }) => code)
    setTimeout(() => leaving.abort(), 500)
    return outcome
  }

  test('it is 10 s, then 30 s, then 10 s again', async () => {
    await expect(Promise.all([askedToWait(8), askedToWait(11)])).resolves.toEqual(['ABORTED', 'RATE_LIMITED'])
    await flip('timeouts')
    await expect(Promise.all([askedToWait(28), askedToWait(31)])).resolves.toEqual(['ABORTED', 'RATE_LIMITED'])
    await flip('timeouts-back')
    await expect(Promise.all([askedToWait(8), askedToWait(11)])).resolves.toEqual(['ABORTED', 'RATE_LIMITED'])
  })
})

test('every rollback of MIGRATION.md is a snippet that is run here, with the way back', () => {
  const names = blocks.map(({ marks }) => marks.rollback).filter(Boolean)
  expect(names).toEqual([
    'verification',
    'verification-back',
    'tokens',
    'tokens-back',
    'attendees', // in rollback_attendees.test.js
    'attendees-back',
    'idempotency',
    'idempotency-back',
    'timeouts',
    'timeouts-back',
  ])
})
