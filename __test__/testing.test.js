'use strict'

const { execFile } = require('node:child_process')
const { promisify } = require('node:util')
const path = require('node:path')
const { startEmulator } = require('../lib/testing')

const CALENDAR = 'class@group.calendar.google.com'
const OWNER = 'owner@school.test'
let google
let user

beforeAll(async () => {
  google = await startEmulator({ seed: 1 })
})
afterAll(() => google.close())
beforeEach(async () => {
  await google.reset()
  user = await google.addUser({ email: OWNER })
  await google.addCalendar({ id: CALENDAR, owner: OWNER, timeZone: 'America/New_York' })
})

async function insert(id) {
  const body = { id, summary: 'Algebra', start: { date: '2027-07-01' }, end: { date: '2027-07-02' } }
  const reply = await fetch(`${google.url}/calendar/v3/calendars/${CALENDAR}/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${user.accessToken}` },
    body: JSON.stringify(body),
  }).catch(() => undefined)
  await reply?.arrayBuffer()
  return reply?.status
}

test('a scripted fault strikes the call it names, and the truth tells what was stored', async () => {
  await google.fault({ operation: 'events.insert', nth: 2, fault: { kind: 'reset', when: 'after' } })
  expect(await insert('class001')).toBe(200)
  expect(await insert('class002')).toBeUndefined()
  expect(await google.events(CALENDAR, { live: true })).toHaveLength(2)
  const [struck] = await google.requests({ fault: 'reset after' })
  expect(struck).toMatchObject({
    operation: 'events.insert',
    eventId: 'class002',
    user: OWNER,
    status: null,
    committed: true,
  })
  expect(await google.counts()).toMatchObject({ requests: 2, liveEvents: 2, operations: { 'events.insert': 2 } })
})

test('an owner edits and deletes behind the back of programs', async () => {
  await insert('class001')
  expect(await google.ownerEdit(CALENDAR, 'class001', { summary: 'Mine' }, { put: true })).toMatchObject({
    summary: 'Mine',
  })
  await google.ownerDelete(CALENDAR, 'class001')
  expect(await google.events(CALENDAR)).toMatchObject([{ id: 'class001', status: 'cancelled' }])
  expect((await google.history(CALENDAR, 'class001')).map((was) => was.operation)).toEqual([
    'events.insert',
    'events.update',
    'events.delete',
  ])
  expect(await google.purgeEvent(CALENDAR, 'class001')).toBe(true)
})

test('an outage refuses connections until it ends', async () => {
  await google.outage(true)
  expect(await insert('class001')).toBeUndefined()
  await google.outage(false)
  expect(await insert('class001')).toBe(200)
  expect((await google.counts()).requests).toBe(1)
})

test('tokens are refreshed, expired and revoked', async () => {
  const refresh = async () => {
    const { clientId, clientSecret, tokenUrl } = google.config
    const form = {
      grant_type: 'refresh_token',
      client_id: clientId,
      client_secret: clientSecret,
      refresh_token: user.refreshToken,
    }
    return (await fetch(tokenUrl, { method: 'POST', body: new URLSearchParams(form) })).json()
  }
  expect(await google.expireTokens({ email: OWNER })).toBe(1)
  expect(await insert('class001')).toBe(401)
  user.accessToken = (await refresh()).access_token
  expect(await insert('class001')).toBe(200)
  expect(await google.revokeTokens()).toBe(1)
  expect((await refresh()).error).toBe('invalid_grant')
  expect((await google.tokenRequests()).map((request) => request.outcome)).toEqual(['ok', 'invalid_grant'])
})

test('wrong rules, options and events are told by name', async () => {
  await expect(google.fault({ operation: 'events.insrt', fault: { kind: 'drop' } })).rejects.toThrow('events.insrt')
  await expect(google.fault({ operation: '*', fault: { kind: 'drop' }, nht: 1 })).rejects.toThrow('nht')
  await expect(google.ownerDelete(CALENDAR, 'class009')).rejects.toThrow('Not Found')
  await expect(startEmulator({ sead: 1 })).rejects.toThrow('sead')
  await expect(startEmulator({ binary: '/nowhere/surecal-emulator' })).rejects.toThrow('ENOENT')
})

test('a seed repeats the tokens; without one, and after a reset, no token is given out twice', async () => {
  const tokensOf = async (emulator) => (await emulator.addUser({ email: OWNER })).refreshToken
  const started = await Promise.all([{ seed: 5 }, { seed: 5 }, {}, {}].map((options) => startEmulator(options)))
  const [first, again, one, other] = await Promise.all(started.map(tokensOf))
  expect(again).toBe(first)
  expect(started[0].seed).toBe(5)
  expect(started[2].seed).not.toBe(started[3].seed)
  await started[2].reset()
  expect(new Set([first, one, other, await tokensOf(started[2])]).size).toBe(4)
  await Promise.all(started.map((emulator) => emulator.close()))
})

test('a process that leaves its emulator running ends by itself, and the emulator with it', async () => {
  const testing = JSON.stringify(path.join(__dirname, '../lib/testing'))
  const script = `require(${testing}).startEmulator().then(async (g) => { await g.addUser('a@x.test'); process.stdout.write(String(g.pid)) })`
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { timeout: 10_000 })
  const isGone = () => {
    try {
      process.kill(Number(stdout), 0)
      return false
    } catch {
      return true
    }
  }
  for (let tries = 0; tries < 100 && !isGone(); tries += 1)
    await new Promise((resolve) => {
      setTimeout(resolve, 20)
    })
  expect(isGone()).toBe(true)
})

test('close ends the process, and may be called twice', async () => {
  const second = await startEmulator()
  await second.close()
  await second.close()
  expect(() => process.kill(second.pid, 0)).toThrow()
})
