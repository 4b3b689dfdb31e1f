'use strict'

// Who may see the page, and what leaves the process with it. How it looks and lives: dashboard_browser.test.js.

const { loadOverFake } = require('./fakes/load')
const { serving, exchange, jsonOf } = require('./support/exchange')
const { ownNow } = require('./support/own_now')

const METRICS = { since: 1, inFlight: 3 }
const OPEN = {
  operation: 'createEvent',
  userId: 'user-canary',
  calendarId: 'calendar-canary',
  eventId: 'event1',
  since: 5,
  rounds: 2,
  lastError: 'TIMEOUT',
}

describe.each([
  ['4', 'express4'],
  ['5', 'express'],
])('on Express %s', (_version, name) => {
  const express = require(name)
  let surecal, fake, service, server, logged
  beforeEach(() => {
    ;({ surecal, fake } = loadOverFake())
    fake.metrics = JSON.stringify(METRICS)
    logged = []
    service = new surecal.CalendarService({ logger: { warn: (message, more) => logged.push({ message, more }) } })
    jest.spyOn(service, 'pending').mockResolvedValue([OPEN])
  })
  afterEach(() => server?.stop())

  async function mount(options) {
    const app = express()
    app.use('/calendar', service.dashboard(options))
    app.use((_req, res) => res.status(404).send('the app'))
    server = await serving(app)
  }
  const get = (path, more) => exchange(server.port, { method: 'GET', path, ...more })

  test('it is not made without a check, unless told so', () => {
    for (const wrong of [undefined, null, {}, { authorize: true }, { authorize: null }, { authorise: () => true }]) {
      expect(() => service.dashboard(wrong)).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }))
    }
    expect(() => service.dashboard({ authorize: false })).not.toThrow()
  })

  test.each([
    ['false', () => false],
    ['a word', () => 'yes'],
    ['nothing', () => undefined],
    ['a promise of false', async () => false],
    [
      'an error',
      () => {
        throw new Error('canary')
      },
    ],
    ['a rejection', () => Promise.reject(new Error('canary'))],
  ])('a visitor for whom authorize gives %s gets neither page nor figures', async (_what, authorize) => {
    await mount({ authorize })
    for (const path of ['/calendar', '/calendar?figures']) {
      const { status, body } = await get(path)
      expect([status, body.toString()]).toEqual([403, 'You may not see this page.'])
    }
    expect(service.pending).not.toHaveBeenCalled()
    expect(JSON.stringify(logged)).not.toContain('canary')
  })

  test('a visitor who is allowed gets the page, and is asked about again for the figures', async () => {
    const authorize = jest.fn(async (req) => req.get('X-Admin') === 'yes')
    await mount({ authorize })
    const headers = { 'X-Admin': 'yes' }
    const page = await get('/calendar/', { headers })
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
    expect((await get('/calendar?figures', { headers })).status).toBe(200)
    expect((await get('/calendar?figures')).status).toBe(403)
    expect(authorize).toHaveBeenCalledTimes(3)
  })

  test('the page may run its own script and style alone, by a nonce of its own each time', async () => {
    await mount({ authorize: false })
    const pages = [await get('/calendar'), await get('/calendar')]
    const nonces = pages.map(({ headers, body }) => {
      const policy = headers['content-security-policy']
      const [, nonce] = /script-src 'nonce-([^']+)'/.exec(policy)
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).not.toMatch(/unsafe|https?:|\*/)
      const html = body.toString()
      expect(html.match(/<(?:script|style)\b[^>]*>/g)).toEqual([
        `<style nonce="${nonce}">`,
        `<script nonce="${nonce}">`,
      ])
      expect(html).not.toMatch(/\b(?:src|href)="(?!data:)|\sstyle="|\son\w+="/)
      expect(html).not.toContain('{nonce}')
      return nonce
    })
    expect(nonces[0]).not.toBe(nonces[1])
    expect(pages[0].headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  })

  test('the figures are metrics() and what pending() says without users and calendars', async () => {
    await mount({ authorize: false })
    const answer = await get('/calendar?figures')
    expect(answer.headers['cache-control']).toBe('no-store')
    const { at, ...told } = jsonOf(answer)
    expect(Math.abs(at - Date.now())).toBeLessThan(5000)
    const { userId: _user, calendarId: _calendar, ...shown } = OPEN
    expect(told).toEqual({ metrics: METRICS, pending: { count: 1, entries: [shown] } })
    expect(answer.body.toString()).not.toContain('canary')
  })

  test('many who look on ask the store once a second, and a store that does not answer holds nobody up', async () => {
    await mount({ authorize: false })
    await Promise.all(Array.from({ length: 20 }, () => get('/calendar?figures')))
    expect(service.pending).toHaveBeenCalledTimes(1)
    await server.stop()
    service.pending.mockReturnValue(new Promise(() => {}))
    await mount({ authorize: false })
    const startedAt = ownNow()
    const told = jsonOf(await get('/calendar?figures'))
    expect(told).toMatchObject({ metrics: METRICS, pending: null })
    expect(ownNow() - startedAt).toBeLessThan(2000)
    await server.stop()
    service.pending.mockRejectedValue(new Error('down'))
    await mount({ authorize: false })
    expect(jsonOf(await get('/calendar?figures')).pending).toBeNull()
  })

  test('it answers GET at its own address; everything else is the app’s', async () => {
    await mount({ authorize: false })
    expect((await get('/calendar/other')).body.toString()).toBe('the app')
    expect((await exchange(server.port, { method: 'POST', path: '/calendar' })).status).toBe(405)
    const head = await exchange(server.port, { method: 'HEAD', path: '/calendar' })
    expect([head.status, head.body.length]).toEqual([200, 0])
  })

  test('a service that is not configured yet gives no figures, and does once it is', async () => {
    const app = express()
    app.use('/calendar', surecal.dashboard({ authorize: false }))
    server = await serving(app)
    const early = await get('/calendar?figures')
    expect([early.status, jsonOf(early)]).toEqual([503, { code: 'CONFIGURATION' }])
    surecal.configure({})
    expect((await get('/calendar?figures')).status).toBe(200)
  })
})

test('a call that the facade refuses by itself is counted by the native part, and no other is', async () => {
  const { surecal, fake } = loadOverFake()
  const service = new surecal.CalendarService({ resolveCalendar: () => Promise.reject(new Error('down')) })
  await service.createEvent('ada', 'token', {}).catch(() => {})
  await service.getEvent('', 'token', 'event1').catch(() => {})
  expect(fake.refused).toEqual([
    { operation: 'createEvent', code: 'STORE_UNAVAILABLE', outcome: 'not-sent', elapsedMs: expect.any(Number) },
    { operation: 'getEvent', code: 'VALIDATION_FAILED', outcome: 'not-sent', elapsedMs: expect.any(Number) },
  ])
  service.configure({ resolveCalendar: null })
  fake.answers.getEvent = () => Promise.reject(new Error('{}'))
  await service.getEvent('ada', 'token', 'event1').catch(() => {})
  expect(fake.refused).toHaveLength(2)
})
