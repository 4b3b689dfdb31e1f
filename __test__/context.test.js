'use strict'

// What a call's `context` comes back in, and what is said where nobody asked to be told.

const { inspect } = require('node:util')
const surecal = require('surecal')
const { runProgram } = require('./support/process')
const { lesson } = require('./support/lessons')
const { setStage, until } = require('./support/stage')

const stage = setStage()
const context = { request: 'r-7' }

test('the context of a call is in its record, its error, its open clean-up, and the record of its end', async () => {
  const [user, records] = [await stage.user(), []]
  const service = stage.service({ onOperation: (record) => records.push(record), timeoutMs: 1500 })
  const who = [user.email, user.credentials]
  const { eventId } = await service.createEvent(...who, lesson(), { context })
  expect(records).toMatchObject([{ status: 'SUCCESS', googleEventId: eventId, context }])

  await stage.faultFor(user, { operation: 'events.insert', nth: 1, fault: { kind: 'late', afterMs: 300 } })
  await stage.faultFor(user, { operation: 'events.get', fault: { kind: 'status', status: 503 } })
  await stage.faultFor(user, {
    operation: 'events.insert',
    nth: 2,
    times: 1000,
    fault: { kind: 'status', status: 503 },
  })
  const error = await service.createEvent(...who, lesson(), { context }).catch((thrown) => thrown)
  expect(error).toMatchObject({ outcome: 'unknown', context })
  expect(inspect(error, { depth: 9 })).not.toContain('r-7')
  expect(JSON.stringify(error)).not.toContain('r-7')
  expect(await service.pending()).toMatchObject([{ context }])
  expect(records[1]).toMatchObject({ status: 'FAILURE', context })

  await stage.google.clearFaults()
  expect(await service.recover()).toEqual([])
  await until(() => records.length === 3)
  expect(records[2]).toMatchObject({ settled: 'deleted', context })
})

test('a record that did not arrive is told to the logger with the context', async () => {
  const [user, warn] = [await stage.user(), jest.fn()]
  const service = stage.service({
    logger: { warn },
    onOperation() {
      throw new TypeError('the log is down')
    },
  })
  await service.createEvent(user.email, user.credentials, lesson(), { context })
  expect(warn).toHaveBeenCalledWith(expect.any(String), { context, error: 'TypeError' })
  await service.createEvent(user.email, user.credentials, lesson())
  expect(warn).toHaveBeenLastCalledWith(expect.any(String), { error: 'TypeError' })
})

test('a call that was refused before it began carries it as well, and one without has null', async () => {
  const service = stage.service()
  await expect(service.createEvent('ada', 'token', {}, { context })).rejects.toMatchObject({ context })
  await expect(service.createEvent('ada', 'token', {})).rejects.toMatchObject({ context: null })
  expect(new surecal.CalendarError({ code: 'TIMEOUT', message: 'made by a test' }).context).toBeUndefined()
})

test('without a logger nothing is printed, whatever goes wrong', async () => {
  const user = await stage.user()
  const program = `
    const service = new surecal.CalendarService({ ...config.google, timeoutMs: 700, tokenStore: { load() { throw 1 } }, onOperation() { throw 2 } })
    const { credentials, lesson } = config
    const calls = [service.createEvent('ada', credentials, lesson), service.createEvent('ada', null, lesson)]
    Promise.allSettled([...calls, service.createEvent('ada', 'no token', {})]).then(() => service.close({ drainMs: 0 }))`
  await stage.faultFor(user, { operation: '*', fault: { kind: 'hang' } })
  const config = { google: stage.google.config, credentials: user.credentials, lesson: lesson() }
  const { stdout, stderr } = await runProgram(program, { config })
  expect([stdout, stderr]).toEqual(['', ''])
})
