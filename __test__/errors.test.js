'use strict'

const util = require('node:util')
const vm = require('node:vm')
const { CalendarError, fromNative, validation } = require('../lib/errors')
const { CODES } = require('../lib/constants')
const { nativeError } = require('./fakes/native')

const facts = {
  code: 'RATE_LIMITED',
  outcome: 'rejected',
  message: 'Google said slower.',
  retryable: true,
  requiresReauth: false,
  operation: 'createEvent',
  eventId: 'event1',
  status: 429,
  reason: 'rateLimitExceeded',
  attempts: 6,
  elapsedMs: 1200,
}

describe('CalendarError', () => {
  test('carries every field of the native error and is an Error', () => {
    const error = fromNative(nativeError(facts))
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ ...facts, name: 'CalendarError', errorCode: 'RATE_LIMITED' })
    expect(String(error)).toBe('CalendarError: Google said slower.')
    expect(JSON.parse(JSON.stringify(error))).toEqual({ name: 'CalendarError', ...facts })
  })

  test('names the wrong field of an input', () => {
    expect(validation('eventData.start', 'must be an object')).toMatchObject({
      code: 'VALIDATION_FAILED',
      field: 'eventData.start',
      outcome: 'not-sent',
      message: expect.stringMatching(/^eventData\.start must be an object/),
    })
    expect('field' in JSON.parse(JSON.stringify(fromNative(nativeError(facts))))).toBe(false)
  })

  test('looks to old handlers like an error of Google’s client', () => {
    const { response } = fromNative(nativeError(facts))
    expect(response).toEqual({
      status: 429,
      data: {
        error: {
          code: 429,
          message: 'Google said slower.',
          errors: [{ reason: 'rateLimitExceeded', message: 'Google said slower.' }],
        },
      },
    })
    expect(fromNative(nativeError({ code: 'TIMEOUT', outcome: 'unknown' })).response.status).toBe(504)
    const dead = fromNative(nativeError({ code: 'GOOGLE_AUTH_REQUIRED', reason: 'invalid_grant', status: 400 }))
    expect(dead.response.data.error).toBe('invalid_grant')
  })

  test('is known across realms and copies of the package, and nothing else is', () => {
    const foreign = vm.runInNewContext(
      `class CalendarError extends Error {}
       CalendarError.prototype[Symbol.for('surecal.CalendarError')] = true
       new CalendarError('x')`,
    )
    let copy
    jest.isolateModules(() => {
      copy = require('../lib/errors').validation('x', 'is wrong')
    })
    expect(copy).not.toBeInstanceOf(CalendarError)
    expect([foreign, copy, validation('x', 'is wrong')].map(CalendarError.is)).toEqual([true, true, true])
    const throwing = new Proxy(
      {},
      {
        get() {
          throw new Error('no')
        },
      },
    )
    for (const other of [null, undefined, 'CalendarError', {}, new Error('x'), { name: 'CalendarError' }, throwing]) {
      expect(CalendarError.is(other)).toBe(false)
    }
  })

  test('shows neither cause nor response in its JSON, and no response in a log', () => {
    const error = new CalendarError(facts, { cause: new Error('of the callback') })
    expect(error.cause.message).toBe('of the callback')
    expect(JSON.stringify(error)).not.toContain('of the callback')
    expect(util.inspect(error)).not.toContain('response')
  })

  test.each(CODES)('%s without more answers with HTTP %i and retryable %s', (code, http, retryable) => {
    expect(new CalendarError({ code, message: 'words' })).toMatchObject({
      retryable,
      requiresReauth: code === 'GOOGLE_AUTH_REQUIRED',
      response: { status: http },
    })
  })

  test.each([
    ['fields of the wrong type', { ...facts, status: '429', eventId: { secret: 1 }, attempts: -1, reason: '' }],
    ['unknown fields', { ...facts, token: 'secret', status: null, eventId: null, attempts: 0, reason: null }],
  ])('takes nothing from a native error with %s', (_name, fields) => {
    const error = fromNative(nativeError(fields))
    expect(error).toMatchObject({ status: null, eventId: null, attempts: 0, reason: null })
    expect(util.inspect(error, { showHidden: true, depth: 5 })).not.toContain('secret')
  })
})
