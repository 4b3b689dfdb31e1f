'use strict'

// Over the real addon: what the facade takes for granted of it.

const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { load } = require('../lib/native')
const { CODES, CALENDAR_RETRY_CONFIG } = require('../lib/constants')
const { CalendarService } = require('../index.js')

const root = path.join(__dirname, '..')
const event = { summary: 'Algebra', start: { date: '2027-03-01' }, end: { date: '2027-03-02' } }
const elsewhere = { rootUrl: 'http://127.0.0.1:9' } // Nothing listens there.

test('the native tables of codes and defaults are those of the facade', () => {
  const { errorCodes, retry } = JSON.parse(load().constants())
  expect(errorCodes.map(({ code, http, retryable }) => [code, http, retryable])).toEqual(CODES)
  expect(retry).toEqual({
    maxRetries: CALENDAR_RETRY_CONFIG.MAX_RETRIES,
    baseDelayMs: CALENDAR_RETRY_CONFIG.BASE_DELAY_MS,
    backoffMultiplier: CALENDAR_RETRY_CONFIG.BACKOFF_MULTIPLIER,
    maxDelayMs: CALENDAR_RETRY_CONFIG.MAX_DELAY_MS,
  })
})

test.each([
  [{ status: 429 }, false, true],
  [{ status: 403, reason: 'rateLimitExceeded' }, false, true],
  [{ status: 403, reason: 'insufficientPermissions' }, true, false],
  [{ status: 404 }, true, false],
  [{ status: 503 }, false, false],
  [{ status: 503 }, true, true],
  [{ code: 'ETIMEDOUT' }, false, false],
  [{ code: 'ETIMEDOUT' }, true, true],
  [{ code: 'ECONNRESET' }, false, false],
  [{ code: 'ECONNRESET' }, true, true],
  [{ code: 'ECONNREFUSED' }, false, true],
  [{ code: 'ENOTFOUND' }, false, true],
  [{ code: 'RATE_LIMITED', status: 429, name: 'CalendarError' }, true, true],
  [{ code: 'TIMEOUT', status: 504, name: 'CalendarError' }, false, false],
  [{ code: 'TIMEOUT', status: 504, name: 'CalendarError' }, true, true],
  [{ name: 'TypeError' }, true, false],
  [{}, true, false],
])('the policy on %j, idempotent %s, says retry %s', (error, idempotent, retry) => {
  const verdict = JSON.parse(load().retryVerdict(JSON.stringify(error), 0, idempotent, null))
  expect(verdict).toMatchObject({ retry, delayMs: expect.any(Number), why: expect.any(String) })
  if (retry) expect(verdict.delayMs).toBeLessThanOrEqual(200)
})

test.each([
  [{ timeoutMS: 5 }, 'timeoutMS'],
  [{ timeoutMs: -1 }, 'timeoutMs'],
  [{ timeoutMs: '5' }, 'timeoutMs'],
  [{ rootUrl: 'http://example.com' }, 'rootUrl'],
  [{ retry: { maxRetry: 1 } }, 'maxRetry'],
])('the configuration %j is refused with the key’s name', (config, key) => {
  expect(() => new CalendarService(config)).toThrow(
    expect.objectContaining({ name: 'CalendarError', message: expect.stringContaining(key) }),
  )
})

test.each([
  [{ idempotencykey: 'k' }, 'idempotencykey'],
  [{ timeoutMs: -1 }, 'timeoutMs'],
  [{ maxRetries: -1 }, 'maxRetries'],
  [{ sendUpdates: 'everyone' }, 'sendUpdates'],
  [{ conferenceDataVersion: 2 }, 'conferenceDataVersion'],
])('the options %j are refused with the key’s name and nothing is sent', async (options, key) => {
  const service = new CalendarService(elsewhere)
  await expect(service.createEvent('user', 'token', event, options)).rejects.toMatchObject({
    code: 'VALIDATION_FAILED',
    outcome: 'not-sent',
    message: expect.stringContaining(key),
  })
})

test('a server that refuses connections is told as not-sent, with the caller’s stack', async () => {
  const service = new CalendarService({ ...elsewhere, retry: { maxRetries: 0 } })
  async function theCaller() {
    return await service.createEvent('user', 'token', event)
  }
  const error = await theCaller().catch((thrown) => thrown)
  expect(error).toMatchObject({ name: 'CalendarError', code: 'NETWORK_ERROR', outcome: 'not-sent' })
  expect(error.operation).toBe('createEvent')
  expect(error.stack).toContain('theCaller')
})

test('a process that holds a service ends by itself', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      '--eval',
      `const { CalendarService } = require('./index.js')
       globalThis.service = new CalendarService({ onOperation() {}, logger: console, rootUrl: 'http://127.0.0.1:9' })
       service.getEvent('user', 'token', 'event1').catch(() => {})`,
    ],
    { cwd: root, encoding: 'utf8', timeout: 20000 },
  )
  expect([status, stderr]).toEqual([0, ''])
})

test('pending, recover, metrics and close answer with JSON of their shapes', async () => {
  const service = new CalendarService(elsewhere)
  await expect(service.pending()).resolves.toEqual([])
  await expect(service.recover()).resolves.toEqual([])
  expect(service.metrics()).toMatchObject({ inFlight: 0, openWork: 0, operations: {} })
  await expect(service.close()).resolves.toEqual([])
})
