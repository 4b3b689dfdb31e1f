'use strict'

// One idempotency key, two processes with a memory store each: they know of each other only what the calendar shows.

const { setStage } = require('../support/stage')
const { holdService } = require('../support/process')
const { lesson } = require('../support/lessons')

const stage = setStage()
let first, second

beforeAll(async () => {
  ;[first, second] = await Promise.all([holdService(stage.google.config), holdService(stage.google.config)])
})
afterAll(() => Promise.all([first.kill(), second.kill()]))

const key = (name) => ({ idempotencyKey: name })

/** Ten calls in each process at once. */
async function twentyCalls(user, eventData, options) {
  const args = ['createEvent', user.email, user.accessToken, eventData, options]
  const answers = await Promise.all([first.call('atOnce', 10, ...args), second.call('atOnce', 10, ...args)])
  return answers.flat()
}

function expectOneForAll(answers, live) {
  expect(answers.map(({ error }) => error ?? null)).toEqual(Array(20).fill(null))
  expect(new Set(answers.map(({ result }) => result.eventId)).size).toBe(1)
  expect(answers.every(({ result }) => result.success && result.verified)).toBe(true)
  expect(live.map(({ id }) => id)).toEqual([answers[0].result.eventId])
}

test('20 calls with one key in two processes at once: one event, 20 successes with the same id', async () => {
  const user = await stage.user()
  const answers = await twentyCalls(user, lesson(), key('double-click'))
  expectOneForAll(answers, await stage.live(user))
})

test('the same while every exchange is slow', async () => {
  const user = await stage.user()
  await stage.faultFor(user, { operation: 'events.*', fault: { kind: 'latency', ms: 120 } })
  const answers = await twentyCalls(user, lesson(), key('double-click'))
  expectOneForAll(answers, await stage.live(user))
})

test('the same while many exchanges fail on either side of the commit', async () => {
  const user = await stage.user()
  const faults = [
    { kind: 'reset', when: 'after' },
    { kind: 'status', status: 503, when: 'after' },
    { kind: 'status', status: 429 },
    { kind: 'reset' },
  ]
  for (const [index, fault] of faults.entries()) {
    await stage.faultFor(user, { operation: 'events.*', every: 3 + index, times: 5, fault })
  }
  const answers = await twentyCalls(user, lesson(), { ...key('double-click'), maxRetries: 20 })
  expectOneForAll(answers, await stage.live(user))
})

test('the same with guests: each guest is invited once', async () => {
  const user = await stage.user()
  const attendees = ['one@elsewhere.test', 'two@elsewhere.test'].map((email) => ({ email }))
  const answers = await twentyCalls(user, lesson({ attendees }), key('double-click'))
  expectOneForAll(answers, await stage.live(user))
  const mails = (await stage.google.mails()).filter(({ calendarId }) => calendarId === user.calendarId)
  expect(mails.map(({ kind, to }) => `${kind} ${to}`).sort()).toEqual([
    'invitation one@elsewhere.test',
    'invitation two@elsewhere.test',
  ])
})

test('the calls of one process share one attempt: one insert for all of them', async () => {
  const user = await stage.user()
  await stage.faultFor(user, { operation: 'events.insert', nth: 1, fault: { kind: 'latency', ms: 300 } })
  const answers = await first.call('atOnce', 10, 'createEvent', user.email, user.accessToken, lesson(), key('shared'))
  expect(answers.every(({ result }) => result?.success)).toBe(true)
  const inserts = (await stage.requestsOf(user)).filter(({ operation }) => operation === 'events.insert')
  expect(inserts).toHaveLength(1)
})

test('a later call with the key, in either process, is told the same event as replayed', async () => {
  const user = await stage.user()
  const args = ['createEvent', user.email, user.accessToken, lesson(), key('again')]
  const made = await first.call(...args)
  expect(made).toMatchObject({ success: true, replayed: false })
  for (const holder of [first, second]) {
    await expect(holder.call(...args)).resolves.toMatchObject({
      success: true,
      verified: true,
      replayed: true,
      eventId: made.eventId,
    })
  }
  await expect(stage.live(user)).resolves.toHaveLength(1)
})

test('the key with other data is refused in either process, and the event stays as it is', async () => {
  const user = await stage.user()
  const call = (holder, eventData) => holder.call('createEvent', user.email, user.accessToken, eventData, key('reused'))
  await call(first, lesson())
  for (const holder of [first, second]) {
    await expect(call(holder, lesson({ summary: 'Geometry' }))).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
      outcome: 'rejected',
    })
  }
  await expect(stage.live(user)).resolves.toMatchObject([{ summary: 'Algebra' }])
})

test('an event that was deleted since is made again under a new id, or refused with onDeleted reject', async () => {
  const user = await stage.user()
  const call = (holder, more = {}) =>
    holder.call('createEvent', user.email, user.accessToken, lesson(), { ...key('deleted'), ...more })
  const made = await call(first)
  await stage.google.ownerDelete(user.calendarId, made.eventId)
  await expect(call(second, { onDeleted: 'reject' })).rejects.toMatchObject({ code: 'CONFLICT', outcome: 'rejected' })
  await expect(stage.live(user)).resolves.toEqual([])
  const again = await call(second)
  expect(again.eventId).not.toBe(made.eventId)
  await expect(stage.live(user)).resolves.toMatchObject([{ id: again.eventId }])
})

test('two users with one key are two events', async () => {
  const users = [await stage.user(), await stage.user()]
  const made = await Promise.all(
    users.map((user) => first.call('createEvent', user.email, user.accessToken, lesson(), key('common'))),
  )
  expect(made[0].eventId).not.toBe(made[1].eventId)
  for (const user of users) await expect(stage.live(user)).resolves.toHaveLength(1)
})

test('calls without a key are events of their own', async () => {
  const user = await stage.user()
  const answers = await twentyCalls(user, lesson(), {})
  expect(new Set(answers.map(({ result }) => result.eventId)).size).toBe(20)
  await expect(stage.live(user)).resolves.toHaveLength(20)
})

test('no rejection was left unhandled in either process', async () => {
  await expect(Promise.all([first.call('unhandled'), second.call('unhandled')])).resolves.toEqual([[], []])
})
