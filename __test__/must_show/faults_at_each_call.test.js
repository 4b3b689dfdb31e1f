'use strict'

// A create is two calls on the wire, insert and get, and each may fail on either side of the commit. Whatever strikes
// once, wherever: one live event, told as a success inside the deadline.

const { setStage } = require('../support/stage')
const { lesson, meet } = require('../support/lessons')
const { ownNow } = require('../support/own_now')

const TIMEOUT_MS = 4000
const stage = setStage()
let service

beforeAll(() => {
  service = stage.service({ timeoutMs: TIMEOUT_MS, attemptTimeoutMs: 800, retry: { baseDelayMs: 20 } })
})

/** Creates under one fault, and counts what the server holds. */
async function createUnder(operation, fault, { nth = 1, times = 1, eventData = lesson(), options = {} } = {}) {
  const user = await stage.user()
  await stage.faultFor(user, { operation, nth, times, fault })
  const startedAt = ownNow()
  const result = await service.createEvent(user.email, user.accessToken, eventData, options)
  const took = ownNow() - startedAt
  const [live, requests] = await Promise.all([stage.live(user), stage.requestsOf(user)])
  return { user, result, took, live, requests, struck: requests.filter((request) => request.fault !== null).length }
}

function expectOneVerifiedEvent({ result, took, live, struck }) {
  expect(struck).toBeGreaterThan(0)
  expect(result).toMatchObject({ success: true, verified: true })
  expect(live.map(({ id, summary }) => [id, summary])).toEqual([[result.eventId, 'Algebra']])
  expect(took).toBeLessThan(TIMEOUT_MS)
}

const BEFORE = [
  { kind: 'reset' },
  { kind: 'hang' },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 502 },
  { kind: 'status', status: 503 },
  { kind: 'status', status: 429 },
  { kind: 'status', status: 429, retryAfterSeconds: 1 },
  { kind: 'status', status: 403, reason: 'rateLimitExceeded' },
  { kind: 'status', status: 403, reason: 'userRateLimitExceeded' },
  { kind: 'html' },
  { kind: 'truncate', when: 'before' },
  { kind: 'bigBody', bytes: 1e5, when: 'before' },
  { kind: 'refusedStream' },
]

const AFTER = [
  { kind: 'reset', when: 'after' },
  { kind: 'hang', when: 'after' },
  { kind: 'status', status: 500, when: 'after' },
  { kind: 'status', status: 503, when: 'after' },
  { kind: 'status', status: 429, when: 'after' },
  { kind: 'html', when: 'after' },
  { kind: 'truncate' },
  { kind: 'truncate', keepBytes: 0 },
  { kind: 'drip', everyMs: 200, chunkBytes: 16 },
  { kind: 'bigBody', bytes: 1e5 },
  { kind: 'latency', ms: 2000 },
]

/** The reply is good, and what is stored or seen is not what it says. */
const SPOILED = [
  { kind: 'drop' },
  { kind: 'corrupt' },
  { kind: 'corrupt', fields: { summary: 'Else' } },
  { kind: 'corrupt', fields: { start: { dateTime: '2027-07-01T10:30:00Z' } } },
  { kind: 'delayedVisibility', ms: 400 },
  { kind: 'stale', ms: 400 },
]

/**
 * A lie is a good reply to a write that was not done, or "too many requests" to one that was. Of a repair, which is the
 * second chance already, that is one too many.
 */
const isNoLie = ({ kind, when, status }) =>
  !(kind === 'bigBody' && when === 'before') && !(status === 429 && when === 'after')

/** What can spoil a read. */
const READ = [
  ...BEFORE,
  { kind: 'truncate' },
  { kind: 'drip', everyMs: 200, chunkBytes: 16 },
  { kind: 'latency', ms: 2000 },
]

describe('a create that meets a fault once', () => {
  test.concurrent.each(BEFORE)('at its insert, before the commit: %j', async (fault) => {
    expectOneVerifiedEvent(await createUnder('events.insert', fault))
  })

  test.concurrent.each(AFTER)('at its insert, after the commit: %j', async (fault) => {
    const seen = await createUnder('events.insert', fault)
    expectOneVerifiedEvent(seen)
    // The reply was lost, not the event: nothing is inserted over it.
    expect(seen.requests.filter(({ operation, committed }) => operation === 'events.insert' && committed)).toHaveLength(
      1,
    )
  })

  test.concurrent.each(SPOILED)('at its insert, told as well done: %j', async (fault) => {
    expectOneVerifiedEvent(await createUnder('events.insert', fault))
  })

  test.concurrent.each(READ)('at its read: %j', async (fault) => {
    const seen = await createUnder('events.get', fault)
    expectOneVerifiedEvent(seen)
    expect(seen.requests.filter(({ operation }) => operation === 'events.insert')).toHaveLength(1)
  })

  test.concurrent('at its read, a 404 although the event is there', async () => {
    const seen = await createUnder('events.get', { kind: 'status', status: 404 })
    expectOneVerifiedEvent(seen)
    expect(seen.requests.filter(({ operation }) => operation === 'events.insert')).toHaveLength(1)
  })

  test.concurrent.each([...BEFORE, ...AFTER].filter(isNoLie))('at the repair of a garbled event: %j', async (fault) => {
    const user = await stage.user()
    await stage.faultFor(user, { operation: 'events.insert', nth: 1, fault: { kind: 'corrupt' } })
    await stage.faultFor(user, { operation: 'events.patch', nth: 1, fault })
    const result = await service.createEvent(user.email, user.accessToken, lesson())
    expect(result).toMatchObject({ success: true, verified: true, repaired: true })
    await expect(stage.live(user)).resolves.toMatchObject([{ id: result.eventId, summary: 'Algebra' }])
  })

  test.concurrent('at the repair of a garbled event: 412 although the etag is right', async () => {
    const user = await stage.user()
    await stage.faultFor(user, { operation: 'events.insert', nth: 1, fault: { kind: 'corrupt' } })
    await stage.faultFor(user, { operation: 'events.patch', nth: 1, fault: { kind: 'precondition' } })
    const result = await service.createEvent(user.email, user.accessToken, lesson())
    expect(result).toMatchObject({ success: true, verified: true, repaired: true })
    await expect(stage.live(user)).resolves.toHaveLength(1)
  })
})

describe('a create that meets a fault at every first call of each kind', () => {
  test.concurrent('insert lost after the commit, read refused, and again', async () => {
    const user = await stage.user()
    await stage.faultFor(user, { operation: 'events.insert', nth: 1, fault: { kind: 'reset', when: 'after' } })
    await stage.faultFor(user, { operation: 'events.get', nth: 1, times: 2, fault: { kind: 'status', status: 503 } })
    const result = await service.createEvent(user.email, user.accessToken, lesson())
    expect(result).toMatchObject({ success: true, verified: true })
    await expect(stage.live(user)).resolves.toHaveLength(1)
  })

  test.concurrent('with a Meet link: one event with one link', async () => {
    const eventData = lesson({ conferenceData: meet() })
    const seen = await createUnder('events.insert', { kind: 'reset', when: 'after' }, { eventData })
    expectOneVerifiedEvent(seen)
    expect(seen.live[0].hangoutLink).toMatch(/^https:\/\/meet\.google\.com\//)
  })

  test.concurrent('with guests: each is invited once', async () => {
    const eventData = lesson({ attendees: [{ email: 'parent@elsewhere.test' }] })
    const seen = await createUnder('events.insert', { kind: 'hang', when: 'after' }, { eventData })
    expectOneVerifiedEvent(seen)
    const mails = (await stage.google.mails()).filter(({ eventId }) => eventId === seen.result.eventId)
    expect(mails.map(({ kind, to }) => [kind, to])).toEqual([['invitation', 'parent@elsewhere.test']])
  })
})

describe('what is final is told at once, typed, with nothing left', () => {
  test.concurrent.each([
    [{ kind: 'status', status: 400 }, 'VALIDATION_FAILED'],
    [{ kind: 'status', status: 403, reason: 'forbidden' }, 'PERMISSION_DENIED'],
    [{ kind: 'status', status: 403, reason: 'insufficientPermissions' }, 'PERMISSION_DENIED'],
    [{ kind: 'status', status: 403, reason: 'accessNotConfigured' }, 'PERMISSION_DENIED'],
    [{ kind: 'status', status: 403, reason: 'quotaExceeded' }, 'QUOTA_EXCEEDED'],
    [{ kind: 'status', status: 404 }, 'NOT_FOUND'],
  ])('%j is %s after one request', async (fault, code) => {
    const user = await stage.user()
    await stage.faultFor(user, { operation: 'events.insert', fault })
    const error = await service.createEvent(user.email, user.accessToken, lesson()).catch((thrown) => thrown)
    expect(error).toMatchObject({ name: 'CalendarError', code, outcome: 'rejected', status: fault.status })
    const requests = await stage.requestsOf(user)
    expect(requests.filter(({ operation }) => operation === 'events.insert')).toHaveLength(1)
    await expect(stage.live(user)).resolves.toEqual([])
  })
})
