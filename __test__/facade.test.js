'use strict'

const { environmentOf } = require('../lib/network')
const { loadOverFake, deferred } = require('./fakes/load')
const { nativeError } = require('./fakes/native')
const { ownNow } = require('./support/own_now')

const event = { summary: 'Algebra', start: { date: '2027-03-01' }, end: { date: '2027-03-02' } }

let surecal, fake, service
beforeEach(() => {
  ;({ surecal, fake } = loadOverFake())
  service = new surecal.CalendarService()
})

describe('the service', () => {
  test('every method works without its object', async () => {
    const { createEvent, isRetryableError, metrics } = service
    await expect(createEvent('user', 'token', event)).resolves.toMatchObject({ success: true })
    expect(isRetryableError(new Error('x'))).toBe(false)
    expect(metrics()).toEqual({ inFlight: 0 })
  })

  test('jest.spyOn replaces and restores a method, and internal calls go through it', async () => {
    const spy = jest.spyOn(service, 'resolveCalendar').mockResolvedValue({ calendarId: 'spied', calendarType: 'x' })
    await service.createEvent('user', 'token', event)
    expect(fake.calls[0].args.calendarId).toBe('spied')
    spy.mockRestore()
    await service.createEvent('user', 'token', event)
    expect(fake.calls[1].args.calendarId).toBe('primary')
  })

  test('the module refuses with a hint before configure and serves after it', async () => {
    await expect(surecal.createEvent('user', 'token', event)).rejects.toMatchObject({
      code: 'CONFIGURATION',
      outcome: 'not-sent',
      message: expect.stringContaining('configure('),
    })
    expect(() => surecal.metrics()).toThrow('not configured')
    surecal.configure({ timeoutMs: 5000 })
    await expect(surecal.createEvent('user', 'token', event)).resolves.toMatchObject({ success: true })
    const spy = jest.spyOn(surecal, 'createEvent').mockResolvedValue('spied')
    await expect(surecal.createEvent()).resolves.toBe('spied')
    spy.mockRestore()
  })

  test('a second configure changes the running service, and one after close starts a new one', async () => {
    surecal.configure({ timeoutMs: 5000 })
    surecal.configure({ timeoutMs: 6000 })
    expect(fake.calls).toEqual([{ method: 'configure', args: { timeoutMs: 6000 } }])
    await surecal.close()
    await expect(surecal.getEvent('user', 'token', 'event1')).rejects.toMatchObject({ code: 'CLOSED' })
    surecal.configure({})
    await expect(surecal.getEvent('user', 'token', 'event1')).resolves.toMatchObject({ success: true })
  })

  test('close twice drains once', async () => {
    const [first, second] = await Promise.all([service.close({ drainMs: 7 }), service.close()])
    expect(first).toEqual([])
    expect(second).toBe(first)
    expect(fake.calls).toEqual([{ method: 'close', drainMs: 7 }])
  })

  test('a call begun before close is let in, and a later one is not', async () => {
    const asked = deferred()
    service.configure({ resolveCalendar: () => asked.promise })
    fake.calls.length = 0
    const begun = service.createEvent('user', 'token', event)
    const closing = service.close()
    await expect(service.createEvent('user', 'token', event)).rejects.toMatchObject({ code: 'CLOSED' })
    expect(fake.calls).toEqual([])
    asked.resolve({ calendarId: 'primary' })
    await expect(begun).resolves.toMatchObject({ success: true })
    await expect(closing).resolves.toEqual([])
    expect(fake.calls.map(({ method }) => method)).toEqual(['createEvent', 'close'])
  })

  test.each([20, 0])('close({ drainMs: %i }) ends a call that gets no answer from a callback', async (drainMs) => {
    const never = () => deferred().promise
    service.configure({ resolveCalendar: never, resolveCalendarForEvent: never, timeoutMs: 60_000 })
    fake.calls.length = 0
    const renewing = { getAccessToken: never }
    const ended = Promise.allSettled([
      service.createEvent('user', 'token', event),
      service.createEvent('user', renewing, event, { calendarId: 'primary' }),
      service.addAttendeeToEvent('event1', 'eva@school.test'),
    ])
    await service.close({ drainMs })
    expect(fake.calls).toEqual([{ method: 'close', drainMs: 0 }])
    for (const { reason } of await ended) expect(reason).toMatchObject({ code: 'CLOSED', outcome: 'not-sent' })
  })
})

describe('the configuration', () => {
  test('crosses with every function as a mark and no NaN as null', () => {
    class Store {
      load() {}
    }
    new surecal.CalendarService({ tokenStore: new Store(), logger: console, onOperation() {}, timeoutMs: 5 })
    expect(fake.services.at(-1).config).toEqual({
      tokenStore: { load: '[function]' },
      logger: { debug: '[function]', info: '[function]', warn: '[function]', error: '[function]' },
      onOperation: '[function]',
      timeoutMs: 5,
      $environment: environmentOf(process.env),
    })
    expect(() => new surecal.CalendarService({ timeoutMs: NaN })).toThrow(/timeoutMs must be a finite number/)
    expect(() => new surecal.CalendarService({ retry: { maxRetries: Infinity } })).toThrow(/maxRetries/)
  })

  test.each([
    ['resolveCalendar', 'text'],
    ['onOperation', '[function]'],
    ['tokenStore', {}],
    ['tokenStore', 'text'],
    ['logger', 5],
  ])('a wrong %s throws its name, not its value', (key, value) => {
    expect(() => new surecal.CalendarService({ [key]: value })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION', message: expect.stringContaining(key) }),
    )
  })

  test('a refusal of the native part is a CalendarError, and a refused change changes nothing', async () => {
    const refusal = nativeError({ code: 'CONFIGURATION', message: 'config.timeoutMS is not known' })
    fake.refuseConfig = refusal
    expect(() => new surecal.CalendarService({ timeoutMS: 1 })).toThrow(
      expect.objectContaining({ name: 'CalendarError', code: 'CONFIGURATION' }),
    )
    const resolveCalendar = jest.fn()
    expect(() => service.configure({ resolveCalendar, timeoutMS: 1 })).toThrow('config.timeoutMS is not known')
    fake.refuseConfig = null
    await service.createEvent('user', 'token', event)
    expect(resolveCalendar).not.toHaveBeenCalled()
  })
})

describe('what crosses', () => {
  test('the arguments hold the place, the token and the options without signal and context', async () => {
    service.configure({
      resolveCalendar: () => ({ calendarId: 'c1', timeZone: 'Europe/Berlin', subscriptionPlan: 'gold' }),
    })
    fake.answers.createEvent = { success: true, verified: true, eventId: 'event1' }
    const result = await service.createEvent('user', { access_token: 'token' }, event, {
      idempotencyKey: 'k',
      signal: new AbortController().signal,
      context: { request: 1 },
    })
    const { args, body, ticket } = fake.calls.at(-1)
    expect(args).toEqual({
      userId: 'user',
      calendarId: 'c1',
      timeZone: 'Europe/Berlin',
      auth: { accessToken: 'token' },
      options: { idempotencyKey: 'k' },
      spentMs: expect.any(Number),
    })
    expect(body).toEqual(event)
    expect(ticket).toBeGreaterThan(0)
    expect(result).toEqual({
      success: true,
      verified: true,
      eventId: 'event1',
      calendarType: 'secondary',
      secondaryCalendarId: 'c1',
      subscriptionPlan: 'gold',
    })
  })

  test('a user id is text, a number or an id object, and nothing else', async () => {
    const objectId = { toHexString: () => '65f0' }
    const uuid = new (class {
      toString() {
        return 'uuid-1'
      }
    })()
    for (const id of ['u', 7, 8n, objectId, uuid]) await service.getEvent(id, 'token', 'event1')
    expect(fake.calls.map((call) => call.args.userId)).toEqual(['u', '7', '8', '65f0', 'uuid-1'])
    for (const id of [undefined, null, '', {}, [], new Date(), NaN, Symbol('s'), () => 'u', true]) {
      await expect(service.getEvent(id, 'token', 'event1')).rejects.toMatchObject({
        code: 'VALIDATION_FAILED',
        field: 'userId',
      })
    }
    expect(fake.calls).toHaveLength(5)
  })

  const self = {}
  self.self = self
  test.each([
    ['a self-reference', self],
    ['a BigInt', { summary: 1n }],
    ['a toJSON that throws', { toJSON: () => JSON.parse('secret') }],
    [
      'a getter that throws',
      Object.defineProperty({}, 'summary', { enumerable: true, get: () => JSON.parse('secret') }),
    ],
    ['NaN', { reminders: { overrides: [{ minutes: NaN }] } }],
    ['an array', []],
    ['text', 'summary'],
    ['nothing', undefined],
    ['null', null],
    ['a toJSON to text', { toJSON: () => 'text' }],
  ])('event data with %s is refused before anything is asked or sent', async (_name, data) => {
    const resolveCalendar = jest.fn(() => ({ calendarId: 'c' }))
    service.configure({ resolveCalendar })
    const error = await service.createEvent('user', 'token', data).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'VALIDATION_FAILED', outcome: 'not-sent', operation: 'createEvent' })
    expect(String(error.stack)).not.toContain('secret')
    expect(resolveCalendar).not.toHaveBeenCalled()
    expect(fake.calls.filter((call) => call.method === 'createEvent')).toEqual([])
  })

  test.each([
    ['text', 'options'],
    ['an array', []],
    ['a self-reference', self],
    ['a BigInt', { timeoutMs: 1n }],
    ['NaN', { timeoutMs: NaN }],
    ['a signal that is none', { signal: {} }],
    ['a getter that throws', Object.defineProperty({}, 'context', { enumerable: true, get: () => JSON.parse('x') })],
  ])('options that are %s are refused before anything is sent', async (_name, options) => {
    await expect(service.createEvent('user', 'token', event, options)).rejects.toMatchObject({
      name: 'CalendarError',
      code: 'VALIDATION_FAILED',
    })
    expect(fake.calls).toEqual([])
  })

  test('what was checked is what is sent, also when the caller changes it meanwhile', async () => {
    const gate = deferred()
    service.configure({ resolveCalendar: () => gate.promise })
    const data = { ...event }
    const options = { idempotencyKey: 'first' }
    const call = service.createEvent('user', 'token', data, options)
    data.summary = 'changed'
    options.idempotencyKey = 'changed'
    gate.resolve({ calendarId: 'c' })
    await call
    expect(fake.calls.at(-1)).toMatchObject({ body: event, args: { options: { idempotencyKey: 'first' } } })
  })
})

describe('errors', () => {
  test('a native rejection is a CalendarError with a stack of the caller', async () => {
    fake.answers.createEvent = () => {
      throw nativeError({ code: 'RATE_LIMITED', outcome: 'rejected', retryable: true, status: 429, attempts: 6 })
    }
    async function theCaller() {
      return await service.createEvent('user', 'token', event)
    }
    const error = await theCaller().catch((thrown) => thrown)
    expect(error).toBeInstanceOf(surecal.CalendarError)
    expect(error).toMatchObject({ code: 'RATE_LIMITED', errorCode: 'RATE_LIMITED', status: 429, attempts: 6 })
    expect(error.operation).toBe('createEvent')
    expect(error.stack).toContain('theCaller')
    expect(error.stack).not.toContain('lib/service.js')
  })

  test.each([
    ['a panic', 'thread panicked: token ya29.secret'],
    ['JSON of another kind', '{"token":"ya29.secret"}'],
    ['an unknown code', '{"code":"ya29.secret","outcome":"unknown","message":"ya29.secret"}'],
  ])('%s becomes INTERNAL with fixed words', async (_name, message) => {
    fake.answers.createEvent = fake.answers.getEvent = () => {
      throw Object.assign(new Error(message), { code: 'ya29.secret' })
    }
    const error = await service.createEvent('user', 'token', event).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'INTERNAL', outcome: 'unknown', operation: 'createEvent' })
    expect(error.cause).toBeUndefined()
    expect(error.stack + JSON.stringify(error) + require('node:util').inspect(error)).not.toContain('ya29')
    await expect(service.getEvent('user', 'token', 'event1')).rejects.toMatchObject({ outcome: 'not-sent' })
  })

  test('a result that is not JSON is INTERNAL with an unknown outcome', async () => {
    fake.answers.createEvent = 'garbage'
    await expect(service.createEvent('user', 'token', event)).rejects.toMatchObject({
      code: 'INTERNAL',
      outcome: 'unknown',
    })
  })

  test('verifyEvent never rejects', async () => {
    fake.answers.verifyEvent = () => {
      throw nativeError({ code: 'NOT_FOUND', message: 'no such event' })
    }
    await expect(service.verifyEvent('user', 'token', 'event1', {})).resolves.toEqual({
      success: false,
      verified: false,
      error: 'no such event',
      errorCode: 'NOT_FOUND',
      eventId: 'event1',
    })
    await expect(service.verifyEvent(undefined, null, 5, self())).resolves.toMatchObject({ success: false })
    function self() {
      const value = {}
      value.self = value
      return value
    }
  })
})

describe('listEvents', () => {
  beforeEach(() => {
    fake.answers.listPage = ({ args }) =>
      args.query.pageToken ? { items: [{ id: 'c' }] } : { items: [{ id: 'a' }, { id: 'b' }], nextPageToken: 'next' }
  })

  test('goes through all pages, one at a time', async () => {
    const seen = []
    for await (const { id } of service.listEvents('user', 'token', { timeMin: new Date(0) })) {
      seen.push(`${id}${fake.calls.length}`)
    }
    expect(seen).toEqual(['a1', 'b1', 'c2'])
    expect(fake.calls[1].args.query).toEqual({ timeMin: '1970-01-01T00:00:00.000Z', pageToken: 'next' })
  })

  test('a loop that is left reads no further page', async () => {
    for await (const { id } of service.listEvents('user', 'token')) if (id === 'b') break
    expect(fake.calls).toHaveLength(1)
  })

  test('a page token that repeats itself ends in an error, not in an endless loop', async () => {
    fake.answers.listPage = { items: [], nextPageToken: 'same' }
    const all = async () => {
      for await (const _event of service.listEvents('user', 'token'));
    }
    await expect(all()).rejects.toMatchObject({ code: 'SERVER_ERROR' })
  })
})

describe('AbortSignal', () => {
  test('a signal that fired before the call sends nothing', async () => {
    await expect(service.createEvent('user', 'token', event, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
      outcome: 'not-sent',
    })
    expect(fake.calls).toEqual([])
  })

  test('an abort during a callback is told at once, and the call is never sent', async () => {
    const gate = deferred()
    service.configure({ resolveCalendar: () => gate.promise })
    const controller = new AbortController()
    const call = service.createEvent('user', 'token', event, { signal: controller.signal })
    controller.abort()
    await expect(call).rejects.toMatchObject({ code: 'ABORTED', outcome: 'not-sent' })
    gate.resolve({ calendarId: 'c' })
    await new Promise(setImmediate)
    expect(fake.calls.map((each) => each.method)).toEqual(['configure'])
  })

  test('an abort of a write under way cancels it by its ticket and tells unknown', async () => {
    const gate = deferred()
    fake.answers.createEvent = () => gate.promise
    const controller = new AbortController()
    const call = service.createEvent('user', 'token', event, { signal: controller.signal })
    await new Promise(setImmediate)
    const startedAt = ownNow()
    controller.abort()
    await expect(call).rejects.toMatchObject({ code: 'ABORTED', outcome: 'unknown' })
    expect(ownNow() - startedAt).toBeLessThan(500)
    expect(fake.services[0].cancelled).toEqual([fake.calls[0].ticket])
    gate.resolve() // A call that is never answered keeps the process up.
  })

  test('what the native part still knows at the abort is told instead', async () => {
    const gate = deferred()
    fake.answers.createEvent = () => gate.promise
    fake.onCancel = () => gate.reject(nativeError({ code: 'ABORTED', outcome: 'rejected', message: 'refused' }))
    const controller = new AbortController()
    const call = service.createEvent('user', 'token', event, { signal: controller.signal })
    await new Promise(setImmediate)
    controller.abort()
    await expect(call).rejects.toMatchObject({ code: 'ABORTED', outcome: 'rejected' })
  })

  test('no listener stays on a signal that many calls share', async () => {
    const { signal } = new AbortController()
    const add = jest.spyOn(signal, 'addEventListener')
    const remove = jest.spyOn(signal, 'removeEventListener')
    for (let i = 0; i < 20; i += 1) await service.getEvent('user', 'token', 'event1', { signal })
    expect(add).toHaveBeenCalledTimes(20)
    expect(remove).toHaveBeenCalledTimes(20)
  })
})

describe('the event loop', () => {
  test('an idle service holds nothing', async () => {
    await service.createEvent('user', 'token', event)
    expect(fake.services[0].holds).toEqual([])
  })

  test('open work is held once, however many calls there were, and again only while it is young', async () => {
    fake.openWork = 1
    await Promise.all([1, 2, 3].map(() => service.createEvent('user', 'token', event)))
    const { holds } = fake.services[0]
    expect(holds).toHaveLength(1)
    expect(holds[0].maxMs).toBeLessThanOrEqual(5000)
    fake.openWork = 0
    holds[0].release()
    await new Promise(setImmediate)
    expect(holds).toHaveLength(1)
  })
})
