'use strict'

// A bad configuration is a typed error that names the key, and addresses off loopback must be https.

const { setStage } = require('../support/stage')
const { thrownBy } = require('../support/refusals')
const { CalendarService, CalendarError } = require('../../index.js')

const stage = setStage()

const CONFIGS = [
  [{ timeoutMS: 5 }, 'timeoutMS'],
  [{ timeoutMs: -1 }, 'timeoutMs'],
  [{ timeoutMs: NaN }, 'timeoutMs'],
  [{ timeoutMs: '5' }, 'timeoutMs'],
  [{ attemptTimeoutMs: 0 }, 'attemptTimeoutMs'],
  [{ connectTimeoutMs: -5 }, 'connectTimeoutMs'],
  [{ timeZone: 'Mars/Base' }, 'timeZone'],
  [{ retry: { maxRetry: 1 } }, 'maxRetry'],
  [{ retry: { maxRetries: -1 } }, 'maxRetries'],
  [{ retry: { baseDelayMs: NaN } }, 'baseDelayMs'],
  [{ retry: { backoffMultiplier: 0 } }, 'backoffMultiplier'],
  [{ retry: 5 }, 'retry'],
  [{ verification: { enabled: 'yes' } }, 'enabled'],
  [{ verification: { window: 5 } }, 'window'],
  [{ verification: { windowMs: -1 } }, 'windowMs'],
  [{ store: 'disk' }, 'store'],
  [{ leaseMs: 0 }, 'leaseMs'],
  [{ recovery: 'never' }, 'recovery'],
  [{ limits: { maxInFlight: 0 } }, 'maxInFlight'],
  [{ limits: { perUserPerMinute: -1 } }, 'perUserPerMinute'],
  [{ limits: { perMinute: 1 } }, 'perMinute'],
  [{ unknownOptions: 'allow' }, 'unknownOptions'],
  [{ resolveCalendar: 'primary' }, 'resolveCalendar'],
  [{ onOperation: {} }, 'onOperation'],
  [{ tokenStore: {} }, 'tokenStore'],
  [{ tokenStore: { load: 'x' } }, 'tokenStore'],
  [{ logger: 'console' }, 'logger'],
  [{ logger: { warn: 'x' } }, 'logger'],
  [{ clientId: 7 }, 'clientId'],
]

test.each(CONFIGS)('the configuration %j is refused by the key’s name', (config, key) => {
  const error = thrownBy(() => new CalendarService({ ...stage.google.config, ...config }))
  expect(CalendarError.is(error)).toBe(true)
  expect([error.code, error.outcome]).toEqual(['CONFIGURATION', 'not-sent'])
  expect(error.message).toContain(key)
})

test.each(CONFIGS)('configure(%j) is refused and changes nothing', (config, key) => {
  const running = stage.service()
  const error = thrownBy(() => running.configure(config))
  expect(CalendarError.is(error)).toBe(true)
  expect(error.message).toContain(key)
})

test('a configuration that refers to itself, or is no object, is refused', () => {
  const config = {}
  config.retry = config
  for (const wrong of [config, null, 'x', 7, []]) {
    expect(thrownBy(() => new CalendarService(wrong))).toMatchObject({ code: 'CONFIGURATION' })
  }
})

// ---- addresses

test.each([
  'http://example.com',
  'http://127.0.0.1.example.com',
  'http://localhost.example.com',
  'http://127.0.0.1@example.com',
  'http://10.0.0.1',
  'http://0.0.0.0',
  'http://[::ffff:8.8.8.8]',
  'http://2130706434', // 127.0.0.2 as a number; still loopback for the parser, or refused
  'ftp://127.0.0.1',
  'file:///etc/passwd',
  'javascript:alert(1)',
  '//example.com',
  'example.com',
  '',
  'https://user:secret@example.com',
  'https://example.com/?a=b',
  'https://example.com/#a',
  'https://exa mple.com',
])('rootUrl and tokenUrl %j are refused, and not repeated in the message', (url) => {
  for (const key of ['rootUrl', 'tokenUrl']) {
    const error = thrownBy(() => new CalendarService({ [key]: url }))
    if (url === 'http://2130706434' && error === undefined) continue
    expect([url, error?.code]).toEqual([url, 'CONFIGURATION'])
    expect(error.message).toContain(key)
    if (url.includes('secret')) expect(error.message).not.toContain('secret')
  }
})

test.each(['http://127.0.0.1:9', 'http://localhost:9', 'http://[::1]:9', 'https://example.com'])(
  'rootUrl %j is taken',
  (rootUrl) => {
    expect(() => new CalendarService({ rootUrl })).not.toThrow()
  },
)
