'use strict'

// transaction(): attendees, events and steps of the application's own, all of them or none.

const { setTimeout } = require('node:timers/promises')
const { CalendarError } = require('surecal')
const { Transactions } = require('../lib/transactions')
const { setStage, until } = require('./support/stage')
const { classScene, slowScene } = require('./support/class_scene')
const { lesson } = require('./support/lessons')
const { ownNow } = require('./support/own_now')

const stage = setStage()
const EVA = 'eva@example.com'

test('what a transaction did stays together, and its function’s value comes back', async () => {
  const { service, user, records, mine, ids, places } = await classScene(stage, { lessons: 1 })
  const rows = []
  const told = await service.transaction(async (tx) => {
    const added = await tx.addAttendee({ eventId: ids[0], attendee: EVA })
    expect(added).toMatchObject({ success: true, alreadyAdded: false, attendeeCount: 1, verified: true })
    const made = await tx.createEvent(lesson({ summary: 'Extra' }))
    expect(made).toMatchObject({ success: true, verified: true })
    const row = await tx.step(
      () => rows.push('enrolled'),
      () => rows.pop(),
    )
    expect(row).toBe(1)
    return 'done'
  }, mine)
  expect(told).toEqual({ success: true, replayed: false, result: 'done', skipped: [] })
  await expect(places(EVA)).resolves.toBe(1)
  await expect(stage.live(user)).resolves.toHaveLength(2)
  expect(rows).toEqual(['enrolled'])
  expect(records).toMatchObject([
    { operation: 'TRANSACTION', status: 'SUCCESS', googleEventId: ids[0], verified: true },
    { operation: 'TRANSACTION', status: 'SUCCESS', verified: true },
  ])
  expect(service.metrics().operations.transaction).toMatchObject({ succeeded: 1, verified: 1 })
  await expect(service.pending()).resolves.toEqual([])
})

test('the function’s own error is the cause of a CalendarError, and everything is undone, newest first', async () => {
  const { service, user, mine, ids, places } = await classScene(stage, { lessons: 2 })
  const undone = []
  const own = new Error('seats are gone')
  const error = await service
    .transaction(async (tx) => {
      await tx.step(
        async () => 'row 1',
        async (row) => undone.push(`first ${row}`),
      )
      await tx.addAttendee({ eventId: ids[0], attendee: EVA })
      await tx.createEvent(lesson({ summary: 'Extra' }))
      await tx.step(
        () => 'row 2',
        (row) => undone.push(`second ${row}`),
      )
      throw own
    }, mine)
    .catch((e) => e)
  expect(CalendarError.is(error)).toBe(true)
  expect(error.cause).toBe(own)
  expect(error.message).not.toContain('seats')
  expect(error).toMatchObject({
    operation: 'transaction',
    outcome: 'rejected',
    rollbackFailed: [],
    rollbackPending: [],
  })
  expect(error.rolledBack).toContain(ids[0])
  expect(undone).toEqual(['second row 2', 'first row 1'])
  await expect(places(EVA)).resolves.toBe(0)
  await expect(stage.live(user)).resolves.toHaveLength(2)
  await expect(service.pending()).resolves.toEqual([])
})

test('a step that failed leaves only the way back, whatever the function makes of its error', async () => {
  const { service, mine, ids, places, refuse } = await classScene(stage, { lessons: 2 })
  await refuse(ids[1])
  const error = await service
    .transaction(async (tx) => {
      await tx.addAttendee({ eventId: ids[0], attendee: EVA })
      await tx.addAttendee({ eventId: ids[1], attendee: EVA }).catch(() => 'never mind')
      return 'fine'
    }, mine)
    .catch((e) => e)
  expect(error.message).toMatch(/^Failed to add attendee: /)
  expect(error).toMatchObject({ code: 'PERMISSION_DENIED', outcome: 'rejected', rolledBack: [ids[0]] })
  await expect(places(EVA)).resolves.toBe(0)
})

test('an undo registered before its step runs even if the step broke off in the middle', async () => {
  const { service, mine } = await classScene(stage, { lessons: 0 })
  const undo = jest.fn()
  const own = new TypeError('half done')
  const error = await service
    .transaction(async (tx) => {
      await tx.step(async () => {
        throw own
      }, undo)
    }, mine)
    .catch((e) => e)
  expect(error.cause).toBe(own)
  expect(undo).toHaveBeenCalledTimes(1)
})

test('an undo of the application’s own that throws is told, and its error is not', async () => {
  const { service, logged, mine } = await classScene(stage, { lessons: 0 })
  const error = await service
    .transaction(async (tx) => {
      await tx.step(
        () => {},
        () => {
          throw new Error('secret-row')
        },
      )
      throw new Error('stop')
    }, mine)
    .catch((e) => e)
  expect(error).toMatchObject({ outcome: 'unknown', rollbackFailed: ['step 1'] })
  expect(logged).toMatchObject([{ level: 'error' }])
  expect(JSON.stringify(logged)).not.toContain('secret-row')
})

test('a named step is undone by its handler, and without one it stays listed until there is one', async () => {
  const undone = []
  const { service, mine } = await classScene(stage, { lessons: 0, undo: { removeRow: (args) => undone.push(args) } })
  await service
    .transaction(async (tx) => {
      await tx.step('removeRow', { id: 7 }, () => {})
      await tx.step('cancelMail', { id: 8 }, () => {})
      throw new Error('stop')
    }, mine)
    .catch((e) => expect(e).toMatchObject({ outcome: 'unknown', rollbackFailed: ['cancelMail'] }))
  expect(undone).toEqual([{ id: 7 }])
  const [pending] = await service.pending()
  expect(pending).toMatchObject({ operation: 'transaction' })
  await until(async () => (await service.pending())[0]?.reason?.includes('handler'))
  service.configure({ undo: { removeRow: () => {}, cancelMail: (args) => undone.push(args) } })
  await until(async () => (await service.recover()).length === 0)
  expect(undone).toEqual([{ id: 7 }, { id: 8 }])
})

test('steps after the end, forgotten awaits and transactions inside transactions are refused', async () => {
  const { service, mine, ids, places } = await classScene(stage, { lessons: 1 })
  let late
  await service.transaction(async (tx) => {
    late = tx
  }, mine)
  await expect(late.addAttendee({ eventId: ids[0], attendee: EVA })).rejects.toMatchObject({
    code: 'VALIDATION_FAILED',
  })
  const forgotten = await service
    .transaction((tx) => {
      tx.addAttendee({ eventId: ids[0], attendee: EVA }).catch(() => {})
      return 'too early'
    }, mine)
    .catch((e) => e)
  expect(forgotten.message).toContain('await')
  const nested = await service
    .transaction(async (tx) => {
      await tx.addAttendee({ eventId: ids[0], attendee: EVA })
      await service.transaction(async () => {}, mine)
    }, mine)
    .catch((e) => e)
  expect(nested.message).toContain('inside another')
  await until(async () => service.metrics().openWork === 0)
  await expect(places(EVA)).resolves.toBe(0)
})

test('a function that takes too long, and an abort, undo everything in time', async () => {
  const { service, mine, ids, places } = await classScene(stage, { lessons: 1 })
  const never = new Promise(() => {})
  const began = ownNow()
  const slow = await service
    .transaction(
      async (tx) => {
        await tx.addAttendee({ eventId: ids[0], attendee: EVA })
        await never
      },
      { ...mine, timeoutMs: 1000 },
    )
    .catch((e) => e)
  expect(slow).toMatchObject({ code: 'TIMEOUT', outcome: 'rejected', rolledBack: ids })
  expect(ownNow() - began).toBeLessThan(2000)
  const controller = new AbortController()
  const aborted = await service
    .transaction(
      async (tx) => {
        await tx.addAttendee({ eventId: ids[0], attendee: EVA })
        controller.abort()
        await never
      },
      { ...mine, signal: controller.signal },
    )
    .catch((e) => e)
  expect(aborted).toMatchObject({ code: 'ABORTED' })
  await until(async () => service.metrics().openWork === 0)
  await expect(places(EVA)).resolves.toBe(0)
})

test('a key runs its function once', async () => {
  const { service, mine } = await classScene(stage, { lessons: 0 })
  const work = jest.fn(async () => 'first')
  const options = { ...mine, idempotencyKey: 't1' }
  const told = { success: true, skipped: [] }
  expect(await service.transaction(work, options)).toEqual({ ...told, replayed: false, result: 'first' })
  expect(await service.transaction(work, options)).toEqual({ ...told, replayed: true, result: undefined })
  expect(work).toHaveBeenCalledTimes(1)
})

test('of two transactions with one key at once one runs its function, and the other waits for it', async () => {
  const { service, mine } = await classScene(stage, { lessons: 0 })
  const work = jest.fn(() => setTimeout(200, 'done'))
  const options = { ...mine, idempotencyKey: 't3' }
  const told = await Promise.all([service.transaction(work, options), service.transaction(work, options)])
  expect(told.map(({ replayed }) => replayed).sort()).toEqual([false, true])
  expect(told.map(({ result }) => result)).toContain('done')
  expect(work).toHaveBeenCalledTimes(1)
})

test('an event that takes too long is left out where the rollback plan says so, and the transaction goes on', async () => {
  const { service, records, logged, mine, ids, slow, places } = await slowScene(stage)
  const options = { ...mine, idempotencyKey: 't2' }
  const work = async (tx) => {
    const told = []
    for (const eventId of ids) told.push(await tx.addAttendee({ eventId, attendee: EVA }))
    return told
  }
  const told = await service.transaction(work, options)
  expect(told).toMatchObject({ success: true, skipped: [slow] })
  expect(told.result[1]).toEqual({
    success: true,
    skipped: true,
    alreadyAdded: false,
    verified: false,
    eventId: slow,
    attempts: expect.any(Number),
    warnings: [{ code: 'SKIPPED', message: expect.any(String) }],
  })
  expect(told.result[2]).toMatchObject({ success: true, verified: true, attendeeCount: 1 })
  // The clean-up may be done already, and its record among them.
  const first = records.filter(({ settled }) => settled === undefined)
  expect(
    first.map(({ operation, googleEventId, status, errorCode }) => [operation, googleEventId, status, errorCode]),
  ).toEqual([
    ['TRANSACTION', ids[0], 'SUCCESS', null],
    ['TRANSACTION', slow, 'FAILURE', 'TIMEOUT'],
    ['TRANSACTION', ids[2], 'SUCCESS', null],
  ])
  expect(logged.find(({ message }) => message.includes(slow))).toMatchObject({ level: 'warn' })
  const second = await until(() => records.find((record) => record.settled))
  expect(second).toMatchObject({ operation: 'TRANSACTION', googleEventId: slow, settled: 'deleted' })
  await expect(places(EVA)).resolves.toBe(2)
  await expect(service.transaction(work, options)).resolves.toMatchObject({ replayed: true, skipped: [slow] })
  expect(JSON.stringify([records, logged])).not.toContain('eva@')
})

test('a record of a transaction, and its figure, say verified only of what was read back', async () => {
  const { service, records, mine } = await classScene(stage, { lessons: 1 })
  service.configure({ verification: { enabled: false } })
  await service.transaction(async (tx) => {
    await expect(tx.createEvent(lesson({ summary: 'Extra' }))).resolves.toMatchObject({ verified: false })
  }, mine)
  expect(records).toMatchObject([{ operation: 'TRANSACTION', status: 'SUCCESS', verified: false }])
  expect(service.metrics().operations.transaction).toMatchObject({ succeeded: 1, verified: 0 })
})

test.each([
  ['an unknown field', { email: EVA, responseStatus: 'accepted' }],
  ['a number for a name', { email: EVA, displayName: 7 }],
  ['a word for a truth value', { email: EVA, optional: 'yes' }],
])('%s of an attendee is refused by enroll and by a transaction, as by addAttendeeToEvent', async (_what, attendee) => {
  const { service, mine, ids, places } = await classScene(stage, { lessons: 1 })
  const { userId, auth } = mine
  const calls = [
    service.addAttendeeToEvent(ids[0], attendee, mine),
    service.enroll({ userId, auth, events: ids, attendee }),
    service.transaction((tx) => tx.addAttendee({ eventId: ids[0], attendee }), mine),
  ]
  for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
  await expect(places(EVA)).resolves.toBe(0)
})

test('a commit whose answer cannot be read is told unknown, and nothing is rolled back', async () => {
  const rolledBack = []
  const addon = {
    transactionBegin: async () => '{"id":1,"claim":"c","workMs":1000}',
    transactionCommit: async () => {
      throw new Error('no CalendarError')
    },
    transactionRollBack: async (id) => rolledBack.push(id),
    endedOutside: () => {},
  }
  const perform = async ({ send }) => JSON.parse(await send(addon, '{}', undefined, 0))
  const transactions = new Transactions({
    perform,
    answered: (begin) => begin(),
    handlers: () => undefined,
    log: () => {},
  })
  await expect(transactions.run(async () => 'done', { userId: 'eva' })).rejects.toMatchObject({ outcome: 'unknown' })
  expect(rolledBack).toEqual([])
})

test('a step that was noted while its transaction ended is not taken, and nothing of it is left to undo', async () => {
  let noted
  const answers = []
  const addon = {
    transactionBegin: async () => '{"id":1,"claim":"c","workMs":10}',
    transactionStep: () =>
      new Promise((resolve) => {
        noted = () => resolve('0')
      }),
    transactionRollBack: async () => {
      answers.push(await transactions.undo({ transaction: 'c', number: 0 }))
      noted()
      return '{"outcome":"rejected","message":"undone"}'
    },
    endedOutside: () => {},
  }
  const perform = async ({ send }) => JSON.parse(await send(addon, '{}', undefined, 0))
  const transactions = new Transactions({
    perform,
    answered: (begin) => begin(),
    handlers: () => undefined,
    log: () => {},
  })
  const run = jest.fn()
  const undo = jest.fn()
  let step
  const call = transactions.run((tx) => (step = tx.step(run, undo)), { userId: 'eva' })
  await expect(call).rejects.toMatchObject({ code: 'TIMEOUT' })
  await expect(step).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
  expect(answers).toEqual(['"done"'])
  expect(run).not.toHaveBeenCalled()
  expect(undo).not.toHaveBeenCalled()
})
