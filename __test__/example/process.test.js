'use strict'

// The example as processes: killed in the middle of an enrollment, and started as a person starts it.

const { fork, spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { isDeepStrictEqual } = require('node:util')
const { startEmulator } = require('surecal/testing')
const { openRepository } = require('../../examples/express-backend/repository/open')
const { until } = require('../support/until')

const ROOT = path.join(__dirname, '..', '..')
const FORM = { title: 'Algebra', timeZone: 'UTC', schedules: [{ first: '2027-03-22T10:00', minutes: 60, weeks: 3 }] }

/** The lease of a dead process, and the next look for such. */
const TAKEN_UP_MS = 12_000

describe('a backend that is killed in the middle of', () => {
  let emulator, folder, rows
  const children = []

  beforeAll(async () => {
    emulator = await startEmulator({ seed: 71 })
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lessons-'))
    rows = await openRepository({ file: path.join(folder, 'lessons.sqlite') })
  })
  afterEach(() => emulator.clearFaults())
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL')
    await rows.close()
    await emulator.close()
    fs.rmSync(folder, { recursive: true })
  })

  async function start() {
    const given = JSON.stringify({ config: emulator.config, folder })
    const child = fork(path.join(__dirname, 'fixtures', 'backend_process.js'), [given])
    children.push(child)
    const [{ port }] = await once(child, 'message')
    const ask = async (id, method, where, { key, body } = {}) => {
      const json = { 'content-type': 'application/json' }
      const url = `http://127.0.0.1:${port}/api`
      const signIn = { method: 'PUT', headers: json, body: JSON.stringify({ personId: id }) }
      const [cookie] = (await fetch(`${url}/session`, signIn)).headers.get('set-cookie').split(';')
      const headers = { ...json, cookie, 'idempotency-key': key }
      const response = await fetch(url + where, { method, headers, body: body && JSON.stringify(body) })
      return { status: response.status, body: await response.json() }
    }
    const kill = async () => {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    }
    return { ask, kill }
  }
  const ADA = 'ada@school.test'
  const live = () => emulator.events(ADA, { live: true })
  const guests = async () => (await live()).map(({ attendees = [] }) => attendees.map(({ email }) => email))
  const hang = (operation, eventId) =>
    emulator.fault({ operation, match: { user: ADA, eventId }, nth: 1, fault: { kind: 'hang', when: 'after' } })

  test('an enrollment, a leave and a change leaves all or nothing to the next process', async () => {
    const { credentials } = await emulator.addUser(ADA)
    let process = await start()
    await rows.saveTokens('ada', credentials)
    const { body } = await process.ask('ada', 'POST', '/classes', { key: 'class', body: FORM })
    const { lessons } = await rows.classById(body.id)
    const place = `/classes/${body.id}/enrollment`
    const everywhere = lessons.map(() => ['ben@school.test'])
    const nowhere = lessons.map(() => [])
    /** Asks for something that stands still at the last lesson, and kills the process there. */
    const killedAt = async (reached, operation, request) => {
      await hang(operation, lessons[2].eventId)
      request(process).catch(() => {})
      await until(reached)
      await process.kill()
      process = await start()
    }

    await killedAt(
      async () => (await guests()).every((list) => list.length === 1),
      'events.patch',
      ({ ask }) => ask('ben', 'PUT', place, { key: 'join' }),
    )
    await until(async () => isDeepStrictEqual(await guests(), nowhere), TAKEN_UP_MS)
    await expect(rows.enrollments()).resolves.toEqual([])
    await expect(rows.remindersOf('ben')).resolves.toEqual([])

    await expect(process.ask('ben', 'PUT', place, { key: 'again' })).resolves.toMatchObject({ status: 200 })
    expect(await guests()).toEqual(everywhere)

    await killedAt(
      async () => (await guests()).every((list) => list.length === 0),
      'events.patch',
      ({ ask }) => ask('ben', 'DELETE', place, { key: 'leave' }),
    )
    await until(async () => isDeepStrictEqual(await guests(), everywhere), TAKEN_UP_MS)
    await expect(rows.enrollments()).resolves.toHaveLength(1)
    await expect(rows.remindersOf('ben')).resolves.toHaveLength(3)

    const change = { title: 'Geometry', version: 1, lessons }
    await killedAt(
      async () => (await live()).every(({ summary }) => summary === 'Geometry'),
      'events.patch',
      ({ ask }) => ask('ada', 'PUT', `/classes/${body.id}`, { key: 'change', body: change }),
    )
    await until(async () => (await live()).every(({ summary }) => summary === 'Algebra'), TAKEN_UP_MS)
    await expect(rows.classById(body.id)).resolves.toMatchObject({ title: 'Algebra', version: 1 })
    expect(await guests()).toEqual(everywhere)
  })
})

test('started as a person does it says where it is, is ready, and ends without leaving files', async () => {
  const before = fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith('lessons-'))
  const env = { ...process.env, PORT: '0' }
  for (const name of ['MONGODB_URL', 'REDIS_URL', 'GOOGLE_CLIENT_ID']) delete env[name]
  const child = spawn(process.execPath, [path.join(ROOT, 'examples', 'express-backend', 'start.js')], { env })
  try {
    let said = ''
    for await (const piece of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      said += piece
      if (said.includes('Ctrl-C')) break
    }
    const [url] = /http:\/\/localhost:\d+/.exec(said)
    await expect((await fetch(`${url}/ready`)).json()).resolves.toMatchObject({ ready: true })
    const page = await fetch(url)
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'/)
    expect(await page.text()).toContain('<title>Lessons</title>')
    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    expect(await gone).toEqual([0, null])
  } finally {
    child.kill('SIGKILL')
  }
  const after = fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith('lessons-'))
  expect(after.filter((name) => !before.includes(name))).toEqual([])
})
