'use strict'

// The page in a real browser over a real service: its figures are metrics()' within 2 s. That those are right:
// dashboard_audit.test.js.

const express = require('express')
const { launchChromium } = require('./support/chromium')
const { faint } = require('./support/faint')
const { serving } = require('./support/exchange')
const { lesson } = require('./support/lessons')
const { setStage, until } = require('./support/stage')

const suite = process.env.SURECAL_SKIP_BROWSER === '1' ? describe.skip : describe

suite('the dashboard in Chromium', () => {
  const stage = setStage()
  let browser, page, server, service, asked, allowed, complaints
  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(() => browser?.close())

  beforeEach(async () => {
    service = stage.service({ timeoutMs: 3000, attemptTimeoutMs: 500, retry: { baseDelayMs: 20 } })
    asked = 0
    allowed = true
    const app = express()
    app.use('/admin/calendar', (req, _res, next) => {
      asked += req.url.includes('figures') ? 1 : 0
      next()
    })
    app.use('/admin/calendar', service.dashboard({ authorize: () => allowed }))
    server = await serving(app)
    page = await browser.newPage()
    complaints = []
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('request', (request) => {
      const url = new URL(request.url())
      if (url.protocol !== 'data:' && url.pathname !== '/admin/calendar') complaints.push(request.url())
    })
  })
  afterEach(async () => {
    await page.close()
    await server.stop()
  })

  const open = async () => {
    await page.goto(`http://127.0.0.1:${server.port}/admin/calendar`)
    await page.waitForSelector('#link[data-state="live"]')
  }
  /** What the page shows, by the place in metrics() that each figure names. */
  const shown = () =>
    page.$$eval('[data-figure]', (all) => all.map((one) => [one.dataset.figure, one.textContent.replaceAll(',', '')]))
  const at = (metrics, path) => path.split('.').reduce((value, name) => value?.[name], metrics)

  /** Faults of every kind that is counted. */
  async function school() {
    const user = await stage.user()
    const auth = user.accessToken
    const faults = [
      { operation: 'events.insert', nth: 1, fault: { kind: 'reset', when: 'after' } },
      { operation: 'events.insert', nth: 2, fault: { kind: 'corrupt' } },
      { operation: 'events.insert', nth: 3, fault: { kind: 'status', status: 429 } },
      { operation: 'events.get', nth: 4, fault: { kind: 'hang' } },
    ]
    for (const rule of faults) await stage.faultFor(user, rule)
    for (let nth = 0; nth < 4; nth += 1) {
      await service.createEvent(user.email, auth, lesson(), { idempotencyKey: `class-${nth}` })
    }
    await service.createEvent(user.email, auth, lesson(), { idempotencyKey: 'class-0' })
    await service.deleteEvent(user.email, auth, 'nosuchevent1')
    await service.getEvent(user.email, auth, 'nosuchevent2').catch(() => {})
    return user
  }

  test('every figure is that of metrics(), within two seconds', async () => {
    await open()
    await school()
    const metrics = service.metrics()
    const deadline = performance.now() + 2000
    const counts = ([path]) => !/Ms$/.test(path)
    const differing = async () => {
      const figures = (await shown()).filter(counts)
      return figures.filter(([path, text]) => text !== String(at(metrics, path) ?? 0))
    }
    while ((await differing()).length > 0 && performance.now() < deadline) await page.waitForTimeout(50)
    expect(await differing()).toEqual([])

    expect(await page.textContent('#failures')).toContain('NOT_FOUND')
    expect(complaints).toEqual([])
  })

  test('open work appears on it and goes from it', async () => {
    const user = await stage.user()
    for (const operation of ['events.insert', 'events.get', 'events.delete']) {
      await stage.faultFor(user, { operation, fault: { kind: 'hang', when: 'after' } })
    }
    await open()
    await service.createEvent(user.email, user.accessToken, lesson(), { timeoutMs: 1000 }).catch(() => {})
    await page.waitForFunction(() => document.querySelector('#pending').textContent.includes('createEvent'))
    expect(await page.textContent('#success')).toContain('1 still open')
    await stage.google.clearFaults()
    await stage.google.resetConnections()
    await page.waitForFunction(() => document.querySelector('#pending').textContent === 'Nothing is open.')
    expect(await page.textContent('#success')).toContain('0 still open')
  })

  test('it says so when the connection is lost or the right to see it, and when both are back', async () => {
    await open()
    const { port } = server
    await server.stop()
    await page.waitForFunction(() => document.querySelector('#link-text').textContent.startsWith('Connection lost'))
    expect(await page.getAttribute('main', 'data-old')).toBe('')
    allowed = false
    const app = express().use('/admin/calendar', service.dashboard({ authorize: () => allowed }))
    const again = app.listen(port, '127.0.0.1')
    await page.waitForFunction(() => document.querySelector('#link-text').textContent.startsWith('You may not see'))
    allowed = true
    await page.waitForSelector('#link[data-state="live"]')
    expect(await page.getAttribute('main', 'data-old')).toBeNull()
    again.closeAllConnections()
    again.close()
  })

  test('a hidden tab asks for nothing', async () => {
    await page.addInitScript(() => {
      window.isHidden = false
      Object.defineProperty(document, 'hidden', { get: () => window.isHidden })
    })
    await open()
    const hide = (hidden) =>
      page.evaluate((value) => {
        window.isHidden = value
        document.dispatchEvent(new Event('visibilitychange'))
      }, hidden)
    await hide(true)
    await page.waitForSelector('#link[data-state="paused"]')
    await until(async () => {
      const before = asked
      await page.waitForTimeout(1300)
      return asked === before
    })
    await hide(false)
    await page.waitForSelector('#link[data-state="live"]')
  })

  test('the plot can be read out with the keyboard', async () => {
    const user = await stage.user()
    await service.createEvent(user.email, user.accessToken, lesson())
    await open()
    await page.focus('#plot svg')
    await page.keyboard.press('ArrowLeft')
    expect(await page.textContent('.tip')).toMatch(/P99.*P95.*P50.*Calls1Failed0/)
    await page.keyboard.press('Escape')
    expect(await page.$('.tip')).toBeNull()
  })

  test.each([
    ['light', 1180],
    ['dark', 1180],
    ['light', 360],
    ['dark', 360],
  ])('in %s at %i px nothing is cut off sideways and every text has enough contrast', async (colorScheme, width) => {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: 800 })
    await school()
    await open()
    await page.waitForFunction(() => document.querySelector('#operations').textContent.includes('createEvent'))
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
    expect(await page.evaluate(faint)).toEqual([])
  })
})
