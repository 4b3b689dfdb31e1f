'use strict'

// Everything hangs, and the insert lands late: told as unknown, settled in the background, and never at the cost of a
// retry that came first. Two services in two processes; their user is the same, their tokens are two, so that the
// network can fail for one of them only.

const { setStage, until } = require('../support/stage')
const { holdService } = require('../support/process')
const { lesson } = require('../support/lessons')
const { ownNow } = require('../support/own_now')

const TIMEOUT_MS = 700
const stage = setStage()
const holders = []

beforeAll(async () => {
  const config = { ...stage.google.config, retry: { baseDelayMs: 20 } }
  holders.push(...(await Promise.all([holdService(config), holdService(config)])))
})
afterAll(() => Promise.all(holders.map((holder) => holder.kill())))

/** A calendar that two tokens may write to, and the two processes that do. */
async function scene() {
  const [owner, writer] = [await stage.user(), await stage.user()]
  const { id: calendarId } = await stage.google.addCalendar({
    owner: owner.email,
    sharedWith: { [writer.email]: 'writer' },
  })
  const [firstHolder, secondHolder] = holders
  const userId = `user of ${calendarId}`
  const caller = (holder, user) => ({
    create: (more = {}) =>
      holder.call('createEvent', userId, user.accessToken, lesson(), { calendarId, idempotencyKey: 'K', ...more }),
    pending: async () => (await holder.call('pending')).filter((entry) => entry.calendarId === calendarId),
    records: async () => (await holder.call('records')).filter((record) => record.userId === userId),
  })
  return {
    first: caller(firstHolder, owner),
    second: caller(secondHolder, writer),
    /** A third process begins the first caller's create, and is killed when the insert is on its way. */
    async crash() {
      const crashing = await holdService(stage.google.config)
      const options = { calendarId, idempotencyKey: 'K' }
      const call = crashing.call('createEvent', userId, owner.accessToken, lesson(), options)
      call.catch(() => {})
      await until(async () => (await stage.google.requests({ calendarId, operation: 'events.insert' })).length === 1)
      await crashing.kill()
    },
    live: () => stage.google.events(calendarId, { live: true }),
    /** From now on all of the first caller's requests hang; its next insert is on its way and lands at `release()`. */
    async hangFirst() {
      await stage.faultFor(owner, { operation: 'events.insert', nth: 1, fault: { kind: 'late' } })
      await stage.faultFor(owner, { operation: '*', fault: { kind: 'hang' } })
    },
    /** The network is well again, and what hangs is given up. Late inserts stay on their way. */
    async heal() {
      await stage.google.clearFaults()
      await stage.google.resetConnections()
    },
  }
}

async function expectUnknown(call) {
  const startedAt = ownNow()
  const error = await call.then(
    () => null,
    (thrown) => thrown,
  )
  expect(error).toMatchObject({
    code: 'TIMEOUT',
    outcome: 'unknown',
    message: expect.stringContaining(`${TIMEOUT_MS}ms`),
  })
  expect(ownNow() - startedAt).toBeLessThan(TIMEOUT_MS + 1000)
  return error
}

const settledOf = (records) => records.filter(({ settled }) => settled !== undefined)

test('the insert lands before the clean-up looks: told unknown, and a little later no event is left', async () => {
  const { first, live, hangFirst, heal } = await scene()
  await hangFirst()
  const error = await expectUnknown(first.create({ timeoutMs: TIMEOUT_MS }))
  await expect(first.pending()).resolves.toMatchObject([{ operation: 'createEvent', eventId: error.eventId }])
  await stage.google.release()
  await expect(live()).resolves.toHaveLength(1)
  await heal()
  await until(async () => (await first.pending()).length === 0, 12000)
  await expect(live()).resolves.toEqual([])
  await until(async () => settledOf(await first.records()).length > 0)
  expect(settledOf(await first.records())).toMatchObject([{ settled: 'deleted', googleEventId: error.eventId }])
})

test('the insert lands after the clean-up closed: it meets a tombstone', async () => {
  const { first, live, hangFirst, heal } = await scene()
  await hangFirst()
  await expectUnknown(first.create({ timeoutMs: TIMEOUT_MS }))
  await heal()
  await until(async () => (await first.pending()).length === 0, 12000)
  await expect(live()).resolves.toEqual([])
  await expect(stage.google.release()).resolves.toBeGreaterThan(0)
  await expect(live()).resolves.toEqual([])
})

test('a retry with the key, after the insert landed, adopts the event, and the first call’s clean-up leaves it', async () => {
  const { first, second, live, hangFirst, heal } = await scene()
  await hangFirst()
  const error = await expectUnknown(first.create({ timeoutMs: TIMEOUT_MS }))
  await stage.google.release()
  const retried = await second.create()
  expect(retried).toMatchObject({ success: true, verified: true, replayed: true, eventId: error.eventId })
  await heal()
  await until(async () => (await first.pending()).length === 0, 12000)
  await expect(live()).resolves.toMatchObject([{ id: retried.eventId, summary: 'Algebra' }])
  expect(settledOf(await first.records())).toMatchObject([{ settled: 'kept' }])
})

test('a retry with the key, before the insert landed, makes the event, and neither the late insert nor the clean-up changes it', async () => {
  const { first, second, live, hangFirst, heal } = await scene()
  await hangFirst()
  await expectUnknown(first.create({ timeoutMs: TIMEOUT_MS }))
  const retried = await second.create()
  expect(retried).toMatchObject({ success: true, verified: true })
  await stage.google.release()
  await heal()
  await until(async () => (await first.pending()).length === 0, 12000)
  await expect(live()).resolves.toMatchObject([{ id: retried.eventId, summary: 'Algebra' }])
})

test('a retry with the key in the same process, as soon as the network is well, leaves one event', async () => {
  const { first, live, hangFirst, heal } = await scene()
  await hangFirst()
  await expectUnknown(first.create({ timeoutMs: TIMEOUT_MS }))
  await stage.google.release()
  await heal()
  const retried = await first.create()
  expect(retried).toMatchObject({ success: true, verified: true })
  await until(async () => (await first.pending()).length === 0, 12000)
  await expect(live()).resolves.toMatchObject([{ id: retried.eventId }])
})

test('the process of the first call crashes in the middle of it; a retry elsewhere leaves exactly one event', async () => {
  const { second, live, crash, hangFirst, heal } = await scene()
  await hangFirst()
  await crash()
  await stage.google.release()
  await heal()
  await expect(live()).resolves.toHaveLength(1)
  await expect(second.create()).resolves.toMatchObject({ success: true, verified: true, replayed: true })
  await expect(live()).resolves.toHaveLength(1)
})
