'use strict'

// `npm run picture`: the README's picture of the dashboard. A school's classes go through the emulator with seeded faults
// for two minutes, then Chromium takes the pictures.
//
//   node scripts/dashboard_picture.js [--seconds N] [--into FOLDER]   all: light, dark and phone into FOLDER

const { once } = require('node:events')
const fs = require('node:fs')
const path = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')
const { parseArgs } = require('node:util')
const { ROOT } = require('./paths')
const { ready } = require('./ready')
const { say, script } = require('./run')

const SEED = 7
/** A quiet start, a bad spell, and what comes after: share of exchanges struck, and the round trip. */
const SPELLS = [
  { until: 0.35, rate: 0.04, latencyMs: 25 },
  { until: 0.55, rate: 0.16, latencyMs: 90 },
  { until: 1, rate: 0.04, latencyMs: 25 },
]
const FAULTS = ['reset', 'status', 'truncate', 'html', 'drop', 'corrupt', 'precondition', 'delayedVisibility', 'stale']
const CALLS_A_SECOND = 14
const CLASSES = 40

/** The README's: the top of the page. */
const PICTURE = { viewport: { width: 1080, height: 1050 }, colorScheme: 'light' }
const VIEWS = {
  light: { viewport: { width: 1180, height: 900 }, colorScheme: 'light' },
  dark: { viewport: { width: 1180, height: 900 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: 'light', isMobile: true, deviceScaleFactor: 2 },
}

/** Creates, repeats, changes and deletes classes until the time is over. */
async function teach(google, service, seconds) {
  const { school } = require('../demo/school')
  const { seeded } = require('../demo/seeded')
  const chance = seeded(SEED, 'picture')
  const teachers = await Promise.all(school(SEED, CLASSES).map(({ teacher }) => google.addUser(teacher)))
  const [left, garbled, silent] = await Promise.all(
    ['left', 'garbled', 'silent'].map((name) => google.addUser(`${name}@school.test`)),
  )
  await google.revokeTokens({ email: left.email })
  // Whatever is written for this one is stored an hour late, and what is written for the other is never answered.
  const wrong = { summary: 'Somebody else’s class' }
  for (const operation of ['events.insert', 'events.patch']) {
    await google.fault({
      operation,
      times: 100,
      match: { user: garbled.email },
      fault: { kind: 'corrupt', fields: wrong },
    })
    await google.fault({ operation, times: 100, match: { user: silent.email }, fault: { kind: 'hang', when: 'after' } })
  }
  const calls = []
  // A rejection is what the page is there to show.
  const begin = (call) => calls.push(call.catch(() => {}))
  const end = Date.now() + seconds * 1000
  let spell
  for (let turn = 0; Date.now() < end; turn += 1) {
    const gone = 1 - (end - Date.now()) / (seconds * 1000)
    const now = SPELLS.find(({ until }) => gone < until) ?? SPELLS.at(-1)
    if (now !== spell) {
      spell = now
      await google.profile({ seed: SEED, rate: spell.rate, kinds: FAULTS })
      await google.latency(spell.latencyMs)
    }
    const { email, credentials } = chance.pick(teachers)
    const start = Date.UTC(2027, 2, 1, 8) + turn * 3_600_000
    const event = {
      summary: `Class ${turn}`,
      start: { dateTime: new Date(start).toISOString() },
      end: { dateTime: new Date(start + 3_600_000).toISOString() },
      attendees: [{ email: 'student@school.test' }],
    }
    const options = { idempotencyKey: `class-${turn}` }
    const create = () => service.createEvent(email, credentials, event, options)
    begin(
      create().then(async ({ eventId, success }) => {
        if (success && chance.happens(0.3))
          await service.updateEvent(email, credentials, eventId, { location: 'Room 4' })
        if (success && chance.happens(0.1)) await service.deleteEvent(email, credentials, eventId)
      }),
    )
    if (chance.happens(0.15)) begin(create())
    if (turn % 300 === 150) {
      for (const one of [left, garbled, silent]) {
        const auth = one === left ? { refresh_token: one.credentials.refresh_token } : one.credentials
        begin(service.createEvent(one.email, auth, event, { timeoutMs: 6000 }))
      }
    }
    await sleep(chance.between(500, 1500) / CALLS_A_SECOND)
  }
  await Promise.race([Promise.allSettled(calls), sleep(1500)])
}

async function photograph(url, into) {
  const { launchChromium } = require('../__test__/support/chromium')
  const browser = await launchChromium()
  try {
    for (const [name, view] of Object.entries({ ...VIEWS, dashboard: PICTURE })) {
      const context = await browser.newContext(view)
      const page = await context.newPage()
      await page.goto(url)
      await page.waitForSelector('#link[data-state="live"]')
      await page.screenshot({ path: path.join(into, `${name}.png`), fullPage: name !== 'dashboard' })
      await context.close()
    }
  } finally {
    await browser.close()
  }
}

script(async () => {
  const { values } = parseArgs({ options: { seconds: { type: 'string' }, into: { type: 'string' } } })
  await ready('test')
  const { CalendarService } = require('..')
  const { startEmulator } = require('../lib/testing')
  const express = require('express')
  const google = await startEmulator({ seed: SEED })
  const service = new CalendarService({ ...google.config, attemptTimeoutMs: 1500, limits: { perUserPerMinute: 6000 } })
  const app = express().use('/calendar', service.dashboard({ authorize: false }))
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    say('a school at work')
    await teach(google, service, Number(values.seconds ?? 150))
    const into = values.into ?? fs.mkdtempSync(path.join(require('node:os').tmpdir(), 'surecal-'))
    fs.mkdirSync(into, { recursive: true })
    await photograph(`http://127.0.0.1:${server.address().port}/calendar`, into)
    if (values.into === undefined) {
      fs.copyFileSync(path.join(into, 'dashboard.png'), path.join(ROOT, 'docs', 'dashboard.png'))
      fs.rmSync(into, { recursive: true })
      say('docs/dashboard.png is new')
    }
  } finally {
    server.closeAllConnections()
    server.close()
    await service.close({ drainMs: 0 })
    await google.close()
  }
  return 0
})
