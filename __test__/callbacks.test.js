'use strict'

const pino = require('pino')
const { loadOverFake, deferred } = require('./fakes/load')
const { nativeError } = require('./fakes/native')

const event = { summary: 'Algebra' }

let surecal, fake
beforeEach(() => {
  ;({ surecal, fake } = loadOverFake())
})
const serviceWith = (config) => new surecal.CalendarService(config)

describe('resolveCalendar', () => {
  test('may be sync or async and keeps its this', async () => {
    const config = {
      calendar: 'mine',
      resolveCalendar() {
        return { calendarId: this.calendar }
      },
    }
    await serviceWith(config).createEvent('user', 'token', event)
    await serviceWith({ resolveCalendar: async () => ({ calendarId: 'later' }) }).createEvent('user', 'token', event)
    expect(fake.calls.map((call) => call.args.calendarId)).toEqual(['mine', 'later'])
  })

  test('is not asked when the call names a calendar', async () => {
    const resolveCalendar = jest.fn()
    const service = serviceWith({ resolveCalendar })
    const result = await service.createEvent('user', 'token', event, { calendarId: 'other' })
    expect(resolveCalendar).not.toHaveBeenCalled()
    expect(result).toMatchObject({ calendarType: 'secondary', secondaryCalendarId: 'other' })
  })

  test.each([
    ['throws', () => JSON.parse('x')],
    ['rejects', () => Promise.reject(new Error('database down'))],
    ['throws a string', () => Promise.reject('down')],
  ])('a callback that %s is told as retryable, with its error as the cause', async (_name, resolveCalendar) => {
    const error = await serviceWith({ resolveCalendar })
      .createEvent('user', 'token', event)
      .catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', outcome: 'not-sent', retryable: true })
    expect(error.cause).toBeDefined()
    expect(error.message).not.toContain('down')
    expect(JSON.stringify(error)).not.toContain('down')
    expect(fake.calls).toEqual([])
  })

  test.each([[undefined], [null], [{}], [{ calendarId: '' }], ['primary']])(
    'an answer of %j is a fault of the configuration',
    async (answer) => {
      await expect(
        serviceWith({ resolveCalendar: () => answer }).createEvent('user', 'token', event),
      ).rejects.toMatchObject({ code: 'CONFIGURATION', outcome: 'not-sent' })
    },
  )

  test('that never answers ends with the deadline and nothing sent', async () => {
    const service = serviceWith({ resolveCalendar: () => deferred().promise, timeoutMs: 40 })
    const error = await service.createEvent('user', 'token', event).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'TIMEOUT', outcome: 'not-sent', operation: 'createEvent' })
    expect(error.message).toContain('createEvent timed out after 40ms')
    expect(fake.calls).toEqual([])
  })

  test('that answers leaves no timer behind', async () => {
    const service = serviceWith({ resolveCalendar: async () => ({ calendarId: 'c' }), onOperation: async () => {} })
    const set = jest.spyOn(globalThis, 'setTimeout')
    const cleared = jest.spyOn(globalThis, 'clearTimeout')
    await service.createEvent('user', { getAccessToken: async () => 'token' }, event)
    const timers = set.mock.results.map(({ value }) => value)
    const off = cleared.mock.calls.map(([timer]) => timer)
    set.mockRestore()
    cleared.mockRestore()
    expect(timers.length).toBeGreaterThan(1)
    expect(timers.filter((timer) => !off.includes(timer))).toEqual([])
  })

  test('the time it took is taken off the native deadline', async () => {
    const service = serviceWith({
      resolveCalendar: async () => {
        await new Promise((resolve) => {
          setTimeout(resolve, 30)
        })
        return { calendarId: 'c' }
      },
    })
    await service.createEvent('user', 'token', event)
    expect(fake.calls[0].args.spentMs).toBeGreaterThanOrEqual(25)
  })
})

describe('onOperation', () => {
  test('gets the record of a success', async () => {
    const records = []
    const service = serviceWith({ onOperation: (record) => records.push(record) })
    fake.answers.createEvent = { success: true, verified: true, eventId: 'event1', eventHash: 'hash', attempts: 2 }
    const context = { request: 7 }
    await service.createEvent('user', 'token', event, { context })
    expect(records).toEqual([
      {
        userId: 'user',
        operation: 'CREATE_EVENT',
        status: 'SUCCESS',
        calendarType: 'primary',
        secondaryCalendarId: null,
        eventData: event,
        executionTimeMs: expect.any(Number),
        error: null,
        errorCode: null,
        googleEventId: 'event1',
        eventHash: 'hash',
        verified: true,
        verificationDetails: null,
        attempts: 2,
        context,
      },
    ])
    expect(records[0].context).toBe(context)
  })

  test('gets the record of a failed verification and of a rejection', async () => {
    const records = []
    const service = serviceWith({ onOperation: async (record) => records.push(record) })
    const verificationDetails = { success: false, verified: false, error: 'Event data does not match expected' }
    fake.answers.createEvent = {
      success: false,
      verified: false,
      error: 'Event verification failed: Event data does not match expected',
      errorCode: 'VERIFICATION_FAILED',
      verificationDetails,
      cleanup: 'deleted',
      eventId: 'event1',
    }
    await service.createEvent('user', 'token', event)
    fake.answers.createEvent = () => {
      throw nativeError({ code: 'TIMEOUT', outcome: 'unknown', eventId: 'event2', message: 'timed out', attempts: 3 })
    }
    await expect(service.createEvent('user', 'token', event)).rejects.toThrow('timed out')
    await expect(service.createEvent('', 'token', event)).rejects.toThrow('userId')
    expect(records).toMatchObject([
      { status: 'FAILURE', googleEventId: 'event1', verificationDetails, errorCode: 'VERIFICATION_FAILED' },
      { status: 'FAILURE', googleEventId: 'event2', error: 'timed out', errorCode: 'TIMEOUT', attempts: 3 },
      { status: 'FAILURE', googleEventId: null, errorCode: 'VALIDATION_FAILED' },
    ])
  })

  test('gets one record for each event of a schedule', async () => {
    const records = []
    const service = serviceWith({ onOperation: (record) => records.push(record) })
    fake.answers.createEvents = {
      success: true,
      events: [
        { success: true, eventId: 'e0' },
        { success: true, eventId: 'e1' },
      ],
    }
    await service.createEvents('user', 'token', [{ summary: '0' }, { summary: '1' }])
    expect(records.map(({ operation, googleEventId, eventData }) => [operation, googleEventId, eventData])).toEqual([
      ['CREATE_EVENT', 'e0', { summary: '0' }],
      ['CREATE_EVENT', 'e1', { summary: '1' }],
    ])
  })

  test.each([
    ['throws', () => JSON.parse('x')],
    ['rejects', () => Promise.reject(new Error('log down'))],
    ['never answers', () => deferred().promise],
  ])('that %s does not affect the call', async (_name, onOperation) => {
    const warn = jest.fn()
    const service = serviceWith({ onOperation, logger: { warn }, timeoutMs: 60 })
    await expect(service.createEvent('user', 'token', event)).resolves.toMatchObject({ success: true })
    expect(warn).toHaveBeenCalledTimes(1)
    expect(JSON.stringify(warn.mock.calls)).not.toContain('log down')
  })

  test('gets a second record, with the context of the first, when the clean-up has come to an end', async () => {
    const records = []
    const service = serviceWith({ onOperation: (record) => records.push(record) })
    fake.answers.createEvent = () => {
      throw nativeError({ code: 'TIMEOUT', outcome: 'unknown', eventId: 'event1', message: 'timed out' })
    }
    await service.createEvent('user', 'token', event, { context: 'request 7' }).catch(() => {})
    const notice = { type: 'settled', operation: 'createEvent', userId: 'user', eventId: 'event1', settled: 'deleted' }
    fake.services[0].notify(JSON.stringify(notice))
    fake.services[0].notify(JSON.stringify({ ...notice, eventId: 'after a restart', settled: 'kept' }))
    await new Promise(setImmediate)
    expect(records.slice(1)).toMatchObject([
      { operation: 'CREATE_EVENT', googleEventId: 'event1', settled: 'deleted', context: 'request 7', userId: 'user' },
      { operation: 'CREATE_EVENT', googleEventId: 'after a restart', settled: 'kept', userId: 'user' },
    ])
  })

  test('gets the second record after the first, although the native part told of it before the call was answered', async () => {
    const records = []
    const service = serviceWith({ onOperation: (record) => records.push(record) })
    const notice = { type: 'settled', operation: 'createEvent', userId: 'user', eventId: 'event1', settled: 'deleted' }
    fake.answers.createEvent = async () => {
      fake.services[0].notify(JSON.stringify(notice))
      await new Promise(setImmediate)
      throw nativeError({ code: 'TIMEOUT', outcome: 'unknown', eventId: 'event1', message: 'timed out' })
    }
    await service.createEvent('user', 'token', event, { context: 'request 7' }).catch(() => {})
    await new Promise(setImmediate)
    expect(records).toMatchObject([
      { googleEventId: 'event1', errorCode: 'TIMEOUT', context: 'request 7' },
      { googleEventId: 'event1', settled: 'deleted', context: 'request 7' },
    ])
    fake.services[0].notify(JSON.stringify(notice))
    await new Promise(setImmediate)
    expect(records[2]).not.toHaveProperty('context') // It is not remembered beyond its second record.
  })

  test('is asked through logOperation, so that one who replaces that method sees every record', async () => {
    const service = serviceWith({})
    const spy = jest.spyOn(service, 'logOperation').mockRejectedValue(new Error('mine'))
    await expect(service.deleteEvent('user', 'token', 'event1')).resolves.toMatchObject({ success: true })
    expect(spy).toHaveBeenCalledWith(expect.objectContaining({ operation: 'DELETE_EVENT' }), expect.any(Number))
  })
})

describe('the logger', () => {
  test.each([
    ['production', undefined, 1],
    ['production', { sqlite: '/tmp/store.db' }, 0],
    ['test', undefined, 0],
  ])('in %s with the store %p is warned %d times of clean-up that dies with the process', (mode, store, times) => {
    const before = process.env.NODE_ENV
    const warn = jest.fn()
    process.env.NODE_ENV = mode
    try {
      serviceWith({ logger: { warn }, ...(store ? { store } : {}) })
    } finally {
      process.env.NODE_ENV = before
    }
    expect(warn).toHaveBeenCalledTimes(times)
  })

  test('gets native messages at their level and may throw, reject or lack the level', async () => {
    const warn = jest.fn(() => JSON.parse('x'))
    const info = jest.fn(async () => JSON.parse('x'))
    serviceWith({ logger: { warn, info } })
    const { notify } = fake.services[0]
    for (const level of ['warn', 'info', 'debug', '__proto__']) {
      notify(JSON.stringify({ type: 'log', level, message: 'words', count: 3 }))
    }
    notify('not JSON')
    notify('null')
    notify([JSON.stringify({ type: 'log', level: 'warn', message: 'in a tuple' })])
    await new Promise(setImmediate)
    expect(warn).toHaveBeenCalledWith('words', { count: 3 })
    expect(warn).toHaveBeenCalledWith('in a tuple', {})
    expect(info).toHaveBeenCalledTimes(1)
  })

  test('that is pino’s gets message and details in its own order, and console in the common one', () => {
    const lines = []
    const logger = pino({ base: null }, { write: (line) => lines.push(JSON.parse(line)) })
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => {})
    serviceWith({ logger })
    serviceWith({ logger: console })
    for (const { notify } of fake.services)
      notify(JSON.stringify({ type: 'log', level: 'warn', message: 'words', count: 3 }))
    expect(lines).toEqual([expect.objectContaining({ level: 40, msg: 'words', count: 3 })])
    expect(warn).toHaveBeenCalledWith('words', { count: 3 })
    warn.mockRestore()
  })
})
