'use strict'

const { loadOverFake } = require('./fakes/load')
const { CODES } = require('../lib/constants')
const { serving, exchange, jsonOf } = require('./support/exchange')

describe.each([
  ['4', 'express4'],
  ['5', 'express'],
])('errorHandler on Express %s', (_version, name) => {
  const express = require(name)
  const { surecal } = loadOverFake()
  let server, failure
  beforeAll(async () => {
    const app = express()
    app.post('/', (_req, res, next) => {
      if (failure.late) res.write('begun')
      next(failure)
    })
    app.use(surecal.errorHandler())
    app.use((error, _req, res, _next) => (res.headersSent ? res.end(' and ended') : res.status(418).json({})))
    server = await serving(app)
  })
  afterAll(() => server.stop())

  test.each(CODES)('%s is answered with %i', async (code, status, retryable) => {
    failure = new surecal.CalendarError({ code, outcome: 'rejected', message: 'words', eventId: 'event1' })
    const answer = await exchange(server.port, {})
    expect(answer.status).toBe(status)
    expect(jsonOf(answer)).toEqual({
      status: 'error',
      code,
      message: 'words',
      retryable,
      requiresReauth: code === 'GOOGLE_AUTH_REQUIRED',
      outcome: 'rejected',
      eventId: 'event1',
    })
    const waits = ['IDEMPOTENCY_IN_PROGRESS', 'RATE_LIMITED', 'STORE_UNAVAILABLE', 'OVERLOADED']
    expect(answer.headers['retry-after'] !== undefined).toBe(waits.includes(code))
  })

  test('another error, and one after the head has left, go on', async () => {
    failure = new Error('of the app')
    expect((await exchange(server.port, {})).status).toBe(418)
    failure = Object.assign(new surecal.CalendarError({ code: 'TIMEOUT', message: 'late' }), { late: true })
    expect((await exchange(server.port, {})).body.toString()).toBe('begun and ended')
  })
})
