'use strict'

// Shadow mode: the old service writes and answers, surecal reads afterwards what is there. It never writes, and no
// caller waits for it or hears of it.

const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { OAuth2Client } = require('google-auth-library')
const { migrate } = require('surecal/migrate')
const { legacyService } = require('../support/legacy_service')
const { lesson } = require('../support/lessons')
const { setStage, until } = require('../support/stage')
const { ownNow } = require('../support/own_now')

const ROOT = path.join(__dirname, '..', '..')
const stage = setStage({ seed: 612 })

const SHADOWED = {
  createEvent: 'shadow',
  updateEvent: 'shadow',
  deleteEvent: 'shadow',
}

/** A user, and the old service in the shadow of surecal. */
async function scene({ config, ...more } = {}) {
  const user = await stage.user()
  const auth = new OAuth2Client(stage.google.config)
  auth.setCredentials(user.credentials)
  const reports = []
  const service = stage.service({ verification: { windowMs: 300 }, ...config })
  const calendar = migrate(legacyService(stage.google.url), service, SHADOWED, {
    onShadow: (report) => reports.push(report),
    ...more,
  })
  const create = (event = lesson(), options) => calendar.createEvent(user.email, auth, event, options)
  return { user, auth, calendar, reports, service, create }
}

/** Only the old service may write; surecal's requests of a shadow are reads. */
const writesOf = async (user) => (await stage.requestsOf(user)).filter(({ method }) => method !== 'GET').length

test('a write that is as it should be is confirmed, by reading alone', async () => {
  const { user, auth, calendar, reports, create } = await scene()
  const { event } = await create()
  await calendar.shadowSettled()
  await calendar.updateEvent(user.email, auth, event.id, { summary: 'Geometry' })
  await calendar.shadowSettled()
  await calendar.deleteEvent(user.email, auth, event.id)
  await calendar.shadowSettled()
  const of = (method) => ({
    method,
    outcome: 'confirmed',
    silentFailure: false,
    userId: user.email,
    eventId: event.id,
    fields: [],
    errorCode: null,
    elapsedMs: expect.any(Number),
  })
  expect(reports).toEqual([of('createEvent'), of('updateEvent'), of('deleteEvent')])
  expect(calendar.shadowCounts()).toEqual({
    methods: { createEvent: { confirmed: 1 }, updateEvent: { confirmed: 1 }, deleteEvent: { confirmed: 1 } },
    open: 0,
    reportsFailed: 0,
  })
  expect(await writesOf(user)).toBe(3)
})

test('an event that Google acknowledged and did not store is reported as missing; the caller hears what the old service says', async () => {
  const { user, calendar, reports, create } = await scene()
  await stage.faultFor(user, { operation: 'events.insert', nth: 1, fault: { kind: 'drop' } })
  await expect(create()).resolves.toMatchObject({ success: true })
  await calendar.shadowSettled()
  expect(reports).toMatchObject([{ outcome: 'missing', silentFailure: true, errorCode: null }])
  expect(await writesOf(user)).toBe(1)
})

test('other content than was asked for is reported by the names of its fields, and neither mended nor told', async () => {
  const { user, calendar, reports, create } = await scene()
  const fields = { summary: 'secret words', start: { dateTime: '2027-07-01T09:00:00Z' } }
  await stage.faultFor(user, { operation: 'events.insert', nth: 1, fault: { kind: 'corrupt', fields } })
  await create()
  await calendar.shadowSettled()
  expect(reports).toMatchObject([{ outcome: 'mismatch', silentFailure: true, fields: ['summary', 'start.dateTime'] }])
  expect(JSON.stringify(reports)).not.toMatch(/secret|Algebra|2027/)
  await expect(stage.live(user)).resolves.toMatchObject([{ summary: 'secret words' }])
})

test('an update that was lost, and a delete that was, are reported', async () => {
  const { user, auth, calendar, reports, create } = await scene()
  const { event } = await create()
  await calendar.shadowSettled()
  await stage.faultFor(user, { operation: 'events.patch', nth: 1, fault: { kind: 'drop' } })
  await stage.faultFor(user, { operation: 'events.delete', nth: 1, fault: { kind: 'drop' } })
  await calendar.updateEvent(user.email, auth, event.id, { summary: 'Geometry' })
  await calendar.shadowSettled()
  await calendar.deleteEvent(user.email, auth, event.id)
  await calendar.shadowSettled()
  expect(reports.slice(1)).toMatchObject([
    { method: 'updateEvent', outcome: 'mismatch', silentFailure: true, fields: ['summary'] },
    { method: 'deleteEvent', outcome: 'leftover', silentFailure: true },
  ])
})

test('what becomes visible a moment later is confirmed', async () => {
  const { user, calendar, reports, create } = await scene({ config: { verification: { windowMs: 3000 } } })
  await stage.faultFor(user, { operation: 'events.insert', nth: 1, fault: { kind: 'delayedVisibility', ms: 400 } })
  await create()
  await calendar.shadowSettled()
  expect(reports).toMatchObject([{ outcome: 'confirmed' }])
})

test('what is seen for a moment after it was deleted is confirmed', async () => {
  const { user, auth, calendar, reports, create } = await scene()
  const { event } = await create()
  await stage.faultFor(user, { operation: 'events.delete', nth: 1, fault: { kind: 'stale', ms: 400 } })
  await calendar.deleteEvent(user.email, auth, event.id)
  await calendar.shadowSettled()
  expect(reports.at(-1)).toMatchObject({ method: 'deleteEvent', outcome: 'confirmed' })
})

test('a guest who was added, and one who was removed, is looked for in the calendar that the program names', async () => {
  const user = await stage.user()
  const auth = new OAuth2Client(stage.google.config)
  auth.setCredentials(user.credentials)
  const reports = []
  const place = { userId: user.email, auth }
  const calendar = migrate(
    legacyService(stage.google.url, place),
    { ...stage.service({ verification: { windowMs: 300 } }), addAttendeeToEvent() {}, removeAttendeeFromEvent() {} },
    { addAttendeeToEvent: 'shadow', removeAttendeeFromEvent: 'shadow' },
    { onShadow: (report) => reports.push(report), resolveCalendarForEvent: async () => place },
  )
  const { event } = await calendar.createEvent(user.email, auth, lesson())
  const change = async (method, email, lost) => {
    if (lost) await stage.faultFor(user, { operation: 'events.patch', nth: 1, fault: { kind: 'drop' } })
    await calendar[method](event.id, email)
    await calendar.shadowSettled()
  }
  await change('addAttendeeToEvent', 'ada@school.test')
  await change('addAttendeeToEvent', 'bob@school.test', true)
  await change('removeAttendeeFromEvent', 'ada@school.test', true)
  await change('removeAttendeeFromEvent', 'ada@school.test')
  expect(reports.map(({ method, outcome, fields }) => [method, outcome, fields])).toEqual([
    ['addAttendeeToEvent', 'confirmed', []],
    ['addAttendeeToEvent', 'mismatch', ['attendees']],
    ['removeAttendeeFromEvent', 'leftover', ['attendees']],
    ['removeAttendeeFromEvent', 'confirmed', []],
  ])
  expect(JSON.stringify(reports)).not.toMatch(/ada@|bob@/)
})

test('a look that surecal refuses says so', async () => {
  const { user, auth, calendar, reports } = await scene()
  await calendar.createEvent({ id: user.email }, auth, lesson())
  await calendar.shadowSettled()
  expect(reports).toMatchObject([{ outcome: 'unverifiable', silentFailure: false, errorCode: 'VALIDATION_FAILED' }])
})

test('a failure of the old service reaches its caller as it is, and is counted', async () => {
  const { user, calendar, reports, create } = await scene()
  await stage.faultFor(user, { operation: 'events.insert', nth: 1, fault: { kind: 'status', status: 404 } })
  await expect(create()).rejects.toMatchObject({ status: 404 })
  await calendar.shadowSettled()
  expect(reports).toMatchObject([{ outcome: 'old-failed', silentFailure: false, eventId: null }])
})

test('no caller waits for a look: the answer comes while surecal’s reads hang', async () => {
  const { user, calendar, create } = await scene({ config: { timeoutMs: 1500 } })
  await stage.faultFor(user, { operation: 'events.get', fault: { kind: 'hang' } })
  const startedAt = ownNow()
  await create()
  expect(ownNow() - startedAt).toBeLessThan(1000)
  await until(() => calendar.shadowCounts().open === 1)
  await calendar.shadowSettled()
  expect(calendar.shadowCounts().methods).toEqual({ createEvent: { unverifiable: 1 } })
})

describe('over services that only pretend', () => {
  const event = { id: 'event1' }
  const verified = async () => ({ verified: true })

  function pretended(old, service, options) {
    const young = { createEvent() {}, updateEvent() {}, verifyEvent: verified, getEvent: async () => ({ event }) }
    return migrate(old, { ...young, ...service }, { '*': 'shadow' }, options)
  }

  test('a rejection that nobody handles stays unhandled', () => {
    // In a process of its own: Jest takes it for a failure of the test.
    const program = `
      const { migrate } = require('surecal/migrate')
      const service = { createEvent() {}, verifyEvent() {}, getEvent() {} }
      const old = { createEvent: () => Promise.reject(new Error('of the old service')) }
      process.on('unhandledRejection', (error) => console.log(error.message))
      migrate(old, service, { createEvent: 'shadow' }).createEvent('ada')`
    const { stdout } = spawnSync(process.execPath, ['--eval', program], { cwd: ROOT, encoding: 'utf8' })
    expect(stdout).toBe('of the old service\n')
  })

  test('a report that throws or rejects disturbs nobody, and is counted', async () => {
    const onShadow = jest
      .fn()
      .mockImplementationOnce(() => {
        throw new Error('mine')
      })
      .mockRejectedValueOnce(new Error('mine'))
    const calendar = pretended({ createEvent: async () => ({ event }) }, {}, { onShadow })
    await calendar.createEvent('ada', null, lesson())
    await calendar.createEvent('ada', null, lesson())
    await calendar.shadowSettled()
    await until(() => calendar.shadowCounts().reportsFailed === 2)
  })

  test('the data is compared as it was when the call began', async () => {
    const verifyEvent = jest.fn(verified)
    const old = {
      createEvent: async (_userId, _auth, eventData) => {
        eventData.summary = 'changed by the old service'
        return { event }
      },
    }
    const calendar = pretended(old, { verifyEvent })
    await calendar.createEvent('ada', null, lesson(), { calendarId: 'school' })
    await calendar.shadowSettled()
    expect(verifyEvent).toHaveBeenCalledWith('ada', null, 'event1', lesson(), { calendarId: 'school' })
  })

  test('four looks are at work at once, a hundred wait, and more are left out and counted', async () => {
    let atWork = 0
    let most = 0
    let open
    const gate = new Promise((resolve) => {
      open = resolve
    })
    const verifyEvent = async () => {
      most = Math.max(most, (atWork += 1))
      await gate
      atWork -= 1
      return { verified: true }
    }
    const calendar = pretended({ createEvent: () => ({ event }) }, { verifyEvent })
    for (let call = 0; call < 150; call++) expect(calendar.createEvent('ada', null, lesson())).toEqual({ event })
    await until(() => atWork === 4)
    open()
    await calendar.shadowSettled()
    expect(most).toBe(4)
    expect(calendar.shadowCounts().methods).toEqual({ createEvent: { confirmed: 100, 'left-out': 50 } })
  })

  test('a write that begins while a look waits makes its mismatch “overtaken”', async () => {
    const mismatches = [{ field: 'summary', expected: 1, actual: 2 }]
    const verifyEvent = async () => ({ verified: false, mismatches })
    const old = { createEvent: async () => ({ event }), updateEvent: async () => ({ event }) }
    const calendar = pretended(old, { verifyEvent })
    await calendar.createEvent('ada', null, lesson())
    await calendar.updateEvent('ada', null, 'event1', { summary: 'Geometry' })
    await calendar.shadowSettled()
    expect(calendar.shadowCounts().methods).toEqual({ createEvent: { overtaken: 1 }, updateEvent: { mismatch: 1 } })
  })

  test.each([
    ['a service that throws', 'unverifiable', { event }, { verifyEvent: () => Promise.reject(new Error('mine')) }],
    ['an answer that names no event', 'unverifiable', { success: true }],
    ['an answer that says no', 'old-failed', { success: false }],
    ['a bare id', 'confirmed', 'event1'],
    ['the shape of Google’s client', 'confirmed', { data: event }],
  ])('%s is %s', async (_what, outcome, answer, service = {}) => {
    const calendar = pretended({ createEvent: async () => answer }, service)
    await expect(calendar.createEvent('ada', null, lesson())).resolves.toBe(answer)
    await calendar.shadowSettled()
    expect(calendar.shadowCounts().methods).toEqual({ createEvent: { [outcome]: 1 } })
  })

  test('with a share, the shadow falls on those who are not moved', async () => {
    const calendar = pretended({ createEvent: async () => ({ event }) })
    calendar.set({ '*': false, createEvent: { share: 0.5, shadow: true } })
    expect(calendar.switches().createEvent).toEqual({ share: 0.5, shadow: true })
    const sides = new Set(['ada', 'bob', 'cyd', 'dan'].map((user) => calendar.sideOf('createEvent', user)))
    expect(sides).toEqual(new Set(['new', 'shadow']))
  })
})
