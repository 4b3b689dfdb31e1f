'use strict'

const { createHash } = require('node:crypto')
const path = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')
const express = require('express')
const { loadOverFake, deferred } = require('./fakes/load')
const { launchChromium } = require('./support/chromium')
const { serving } = require('./support/exchange')

const PAGE = `<!doctype html>
<title>Classes</title>
<button>Create class</button>
<ol></ol>
<script type="module">
  import { createIdempotencyKey, generateIdempotencyKey } from '/surecal/index.js'
  Object.assign(window, { createIdempotencyKey, generateIdempotencyKey })
  document.querySelector('button').addEventListener('click', async () => {
    const intent = createIdempotencyKey('create-class')
    const line = document.querySelector('ol').appendChild(document.createElement('li'))
    const response = await fetch('/classes', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...intent.headers },
      body: JSON.stringify({ title: 'Algebra' }),
    })
    if (response.ok) intent.settle()
    line.textContent = response.status + (response.headers.get('Idempotent-Replayed') ? ' replayed' : '')
  })
  document.body.dataset.ready = 'yes'
</script>`

const suite = process.env.SURECAL_SKIP_BROWSER === '1' ? describe.skip : describe

suite('surecal/browser in Chromium', () => {
  let browser, server, page, keys, answered
  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(() => browser?.close())

  beforeEach(async () => {
    const { surecal } = loadOverFake()
    const service = new surecal.CalendarService()
    keys = []
    answered = deferred()
    const app = express()
    app.use('/surecal', express.static(path.join(__dirname, '..', 'browser')))
    app.get('/', (_req, res) => res.type('html').send(PAGE))
    app.post('/classes', express.json(), service.idempotency({ scope: () => 'ada' }), async (req, res) => {
      keys.push(req.get('Idempotency-Key'))
      await answered.promise
      res.status(201).json({ made: keys.length })
    })
    server = await serving(app)
    page = await browser.newPage()
  })
  afterEach(async () => {
    await page.close()
    await server.stop()
  })

  async function open() {
    await page.goto(`http://127.0.0.1:${server.port}/`)
    await page.waitForSelector('body[data-ready]')
  }

  const lines = async (count) => {
    await page.waitForFunction(
      (expected) => [...document.querySelectorAll('li')].filter((line) => line.textContent).length === expected,
      count,
    )
    return (await page.locator('li').allTextContents()).sort()
  }

  test('a double click makes one class', async () => {
    await open()
    await page.dblclick('button')
    await until(() => keys.length > 0)
    answered.resolve()
    const [first, second] = await lines(2)
    expect(first).toBe('201')
    expect(['201 replayed', '409']).toContain(second)
    expect(keys).toHaveLength(1)
  })

  test('a click, a reload while it is under way, and another click make one class', async () => {
    await open()
    await page.click('button')
    await until(() => keys.length === 1)
    await page.reload()
    await page.waitForSelector('body[data-ready]')
    await page.click('button')
    expect(await lines(1)).toEqual(['409'])
    answered.resolve()
    // Each click waits for its answer: after the replayed one, a click would be a new intent.
    let told = ['409']
    while (!told.includes('201 replayed')) {
      await page.click('button')
      told = await lines(told.length + 1)
    }
    expect(keys).toHaveLength(1)
  })

  test('what comes after a settled intent is a new one', async () => {
    answered.resolve()
    await open()
    await page.click('button')
    await lines(1)
    await page.click('button')
    expect(await lines(2)).toEqual(['201', '201'])
    expect(new Set(keys).size).toBe(2)
  })

  test('intents of different names, and of two tabs, are different; a late settle ends only its own', async () => {
    await open()
    const told = await page.evaluate(() => {
      const { createIdempotencyKey } = window
      const first = createIdempotencyKey('a')
      const again = createIdempotencyKey('a')
      const other = createIdempotencyKey('b')
      first.settle()
      const next = createIdempotencyKey('a')
      again.settle()
      return { keys: [first.key, again.key, other.key, next.key, createIdempotencyKey('a').key], text: `${next}` }
    })
    const [first, again, other, next, last] = told.keys
    expect(again).toBe(first)
    expect(last).toBe(next)
    expect(told.text).toBe(next)
    expect(new Set([first, other, next]).size).toBe(3)
    for (const key of told.keys) expect(key).toMatch(/^[0-9a-f]{32}$/)
    const tab = await browser.newPage()
    await tab.goto(`http://127.0.0.1:${server.port}/`)
    await tab.waitForSelector('body[data-ready]')
    expect(await tab.evaluate(() => window.createIdempotencyKey('a').key)).not.toBe(next)
    await tab.close()
  })

  test('where sessionStorage is forbidden the page itself remembers', async () => {
    await page.addInitScript(() => {
      Object.defineProperty(window, 'sessionStorage', {
        get() {
          throw new DOMException('forbidden', 'SecurityError')
        },
      })
    })
    answered.resolve()
    await open()
    await page.dblclick('button')
    await lines(2)
    await page.click('button')
    await lines(3)
    expect(new Set(keys).size).toBe(2)
  })

  test('generateIdempotencyKey says the same of the same data within a window, and something else across its edge', async () => {
    await open()
    const [key, reordered, later, across, forever, other] = await page.evaluate(() => {
      const { generateIdempotencyKey: of } = window
      const data = { title: 'Zürich 🎓', slots: [{ day: 1, at: '10:00' }], note: undefined }
      const now = 600000
      return [
        of(data, { now }),
        of({ slots: [{ at: '10:00', day: 1 }], title: 'Zürich 🎓' }, { now }),
        of(data, { now: now + 299999 }),
        of(data, { now: now + 300000 }),
        of(data, { windowMs: Infinity }),
        of({ ...data, title: 'Bern' }, { now }),
      ]
    })
    const canonical = '{"slots":[{"at":"10:00","day":1}],"title":"Zürich 🎓"}'
    const hash = (text) => createHash('sha256').update(text).digest('hex')
    expect(key).toBe(hash(`2\n${canonical}`))
    expect([reordered, later]).toEqual([key, key])
    expect(across).toBe(hash(`3\n${canonical}`))
    expect(forever).toBe(hash(`always\n${canonical}`))
    expect(other).not.toBe(key)
  })

  test('the hash is SHA-256 for every length around a block', async () => {
    await open()
    const lengths = Array.from({ length: 140 }, (_, index) => index)
    const hashes = await page.evaluate(async (all) => {
      const { sha256 } = await import('/surecal/sha256.js')
      return all.map((length) => sha256('x'.repeat(length)))
    }, lengths)
    expect(hashes).toEqual(lengths.map((length) => createHash('sha256').update('x'.repeat(length)).digest('hex')))
  })
})

async function until(fact) {
  while (!(await fact())) await sleep(10)
}
