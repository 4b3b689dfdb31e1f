'use strict'

// The whole backend of the example over HTTP: what it keeps in the calendar and in its rows, whatever goes wrong between.

const { OAuth2Client } = require('google-auth-library')
const { migrate } = require('surecal/migrate')
const { startEmulator } = require('surecal/testing')
const { realGoogle } = require('../../examples/express-backend/google/real')
const { lessonsBackend, FORM } = require('../support/lessons_backend')
const { legacyService } = require('../support/legacy_service')
const { openRepository } = require('../../examples/express-backend/repository/open')
const { ROW_HOMES } = require('../support/row_homes')

let emulator, backend, ada, ben, email

beforeAll(async () => {
  emulator = await startEmulator({ seed: 40 })
})
afterAll(() => emulator?.close())

/** A backend with a class of Ada's, and Ben who may join it. */
async function open(more) {
  backend = await lessonsBackend(emulator, more)
  email = await backend.connect('ada')
  ada = await backend.person('ada')
  ben = await backend.person('ben')
}
beforeEach(() => open())
afterEach(async () => {
  await backend.close()
  for (const { id } of await live()) await emulator.ownerDelete(email, id)
  await emulator.clearFaults()
})

const live = () => emulator.events(email, { live: true })
const guests = async () => (await live()).map(({ attendees = [] }) => attendees.map((one) => one.email))
const make = async (key = 'one', body = FORM) => ada('POST', '/classes', { body, key })
const classOf = async (id) => (await ada('GET', '/classes')).body.find((one) => one.id === id)
const enrollment = (id) => `/classes/${id}/enrollment`
const refuse = (eventId) =>
  emulator.fault({
    operation: 'events.patch',
    match: { user: email, eventId },
    fault: { kind: 'status', status: 403, reason: 'forbidden' },
  })
const lessonsOf = async (id) => (await backend.repository.classById(id)).lessons

describe('a class', () => {
  test('is one event for each slot of each schedule, and one row', async () => {
    const { status, body } = await make()
    expect([status, body]).toEqual([201, { status: 'success', id: expect.any(String), lessons: 3 }])
    const events = await live()
    expect(events.map(({ summary, start }) => [summary, start.dateTime, start.timeZone]).sort()).toEqual([
      ['Algebra', '2027-03-22T10:00:00Z', 'Europe/London'],
      ['Algebra', '2027-03-24T15:30:00Z', 'Europe/London'],
      // The clocks have changed; the lesson is at ten all the same.
      ['Algebra', '2027-03-29T09:00:00Z', 'Europe/London'],
    ])
    const lessons = await lessonsOf(body.id)
    expect(lessons.map(({ schedule, slot, startsAt }) => [schedule, slot, startsAt])).toEqual([
      [0, 0, '2027-03-22T10:00:00.000Z'],
      [0, 1, '2027-03-29T09:00:00.000Z'],
      [1, 0, '2027-03-24T15:30:00.000Z'],
    ])
    expect(lessons.map(({ eventId }) => eventId).sort()).toEqual(events.map(({ id }) => id).sort())
  })

  test('asked for again is answered again, and one class also when the kept answers are gone', async () => {
    const { body } = await make()
    await expect(make()).resolves.toMatchObject({ status: 201, body })
    await backend.calendar.clearIdempotency()
    await expect(make()).resolves.toMatchObject({ status: 201, body: { id: body.id } })
    expect(await live()).toHaveLength(3)
    await expect(backend.repository.classes()).resolves.toHaveLength(1)
  })

  test('of two teachers with the same key is two classes', async () => {
    await backend.connect('emmy')
    const emmy = await backend.person('emmy')
    await make('same')
    await expect(emmy('POST', '/classes', { body: FORM, key: 'same' })).resolves.toMatchObject({ status: 201 })
    await expect(backend.repository.classes()).resolves.toHaveLength(2)
  })

  test('that cannot be made whole is not made at all, and made by the next try', async () => {
    await emulator.fault({
      operation: 'events.insert',
      match: { user: email },
      nth: 3,
      fault: { kind: 'status', status: 403, reason: 'forbidden' },
    })
    await expect(make()).resolves.toMatchObject({ status: 403, body: { code: 'PERMISSION_DENIED' } })
    expect(await live()).toEqual([])
    await expect(backend.repository.classes()).resolves.toEqual([])
    await expect(make()).resolves.toMatchObject({ status: 201 })
    expect(await live()).toHaveLength(3)
  })

  test('whose row the database refuses leaves no events', async () => {
    const { addClass } = backend.repository
    backend.repository.addClass = async () => {
      throw new Error('disk full')
    }
    await expect(make()).resolves.toMatchObject({ status: 500, body: { code: 'INTERNAL' } })
    expect(await live()).toEqual([])
    backend.repository.addClass = addClass
    await expect(make()).resolves.toMatchObject({ status: 201 })
  })

  test.each([
    [{ title: ' ' }, 'title'],
    [{ timeZone: 'Mars/Olympus' }, 'timeZone'],
    [{ schedules: [] }, 'schedules'],
    [{ schedules: [{ first: '2027-02-30T10:00', minutes: 60, weeks: 1 }] }, 'first'],
    [{ schedules: [{ first: '2027-03-01T10:00', minutes: 0, weeks: 1 }] }, 'minutes'],
    [{ schedules: [{ first: '2027-03-01T10:00', minutes: 60, weeks: 61 }] }, 'weeks'],
  ])('with %j is refused by the name of the field', async (wrong, field) => {
    const { status, body } = await make('wrong', { ...FORM, ...wrong })
    expect([status, body.code, body.field]).toEqual([400, 'WRONG_INPUT', field])
    expect(await live()).toEqual([])
  })
})

describe('a change of a class', () => {
  let id, version, lessons
  beforeEach(async () => {
    id = (await make()).body.id
    ;({ version, lessons } = await classOf(id))
  })
  const anHourLater = () =>
    lessons.map(({ start, end }) => ({ start: start.replace('T10', 'T11'), end: end.replace('T11', 'T12') }))
  const change = (more = {}, key = 'change') =>
    ada('PUT', `/classes/${id}`, { key, body: { title: 'Geometry', version, lessons: anHourLater(), ...more } })
  const starts = async () => (await live()).map(({ start }) => start.dateTime).sort()

  test('moves the events, the row and the reminders, and keeps the guests', async () => {
    await ben('PUT', enrollment(id), { key: 'join' })
    await expect(change()).resolves.toMatchObject({ status: 200, body: { version: 2 } })
    expect(await starts()).toEqual(['2027-03-22T11:00:00Z', '2027-03-24T15:30:00Z', '2027-03-29T10:00:00Z'])
    expect((await live()).map(({ summary }) => summary)).toEqual(['Geometry', 'Geometry', 'Geometry'])
    expect(await guests()).toEqual([['ben@school.test'], ['ben@school.test'], ['ben@school.test']])
    const due = (await backend.repository.remindersOf('ben')).map(({ dueAt }) => dueAt)
    expect(due).toEqual(['2027-03-22T10:00:00.000Z', '2027-03-24T14:30:00.000Z', '2027-03-29T09:00:00.000Z'])
  })

  test('that one event refuses changes nothing', async () => {
    const before = await starts()
    const rows = await lessonsOf(id)
    await refuse(rows[1].eventId)
    await expect(change()).resolves.toMatchObject({ status: 403 })
    expect(await starts()).toEqual(before)
    expect((await live()).map(({ summary }) => summary)).toEqual(['Algebra', 'Algebra', 'Algebra'])
    await expect(lessonsOf(id)).resolves.toEqual(rows)
  })

  test('of what somebody else has changed meanwhile is refused, and changes nothing', async () => {
    await change({ title: 'History' }, 'other')
    await expect(change()).resolves.toMatchObject({ status: 409, body: { code: 'CHANGED_MEANWHILE' } })
    expect((await live()).map(({ summary }) => summary)).toEqual(['History', 'History', 'History'])
  })

  test('is the organizer’s to make', async () => {
    const [emmy, body] = [await backend.person('emmy'), { title: 'Mine', version, lessons }]
    await expect(emmy('PUT', `/classes/${id}`, { key: 'k', body })).resolves.toMatchObject({ status: 403 })
    await expect(ben('PUT', `/classes/${id}`, { key: 'k', body })).resolves.toMatchObject({ status: 403 })
  })
})

describe('an enrollment', () => {
  let id
  beforeEach(async () => {
    id = (await make()).body.id
  })
  const join = (key = 'join', person = ben) => person('PUT', enrollment(id), { key })
  const part = (key = 'leave') => ben('DELETE', enrollment(id), { key })
  const rows = async () => [
    (await backend.repository.enrollments()).length,
    (await backend.repository.remindersOf('ben')).length,
  ]

  test('puts the student on every event, with a row and reminders; leaving takes all of it back', async () => {
    await expect(join()).resolves.toMatchObject({ status: 200, body: { lessons: 3 } })
    expect(await guests()).toEqual([['ben@school.test'], ['ben@school.test'], ['ben@school.test']])
    expect(await rows()).toEqual([1, 3])
    await expect(part()).resolves.toMatchObject({ status: 200 })
    expect(await guests()).toEqual([[], [], []])
    expect(await rows()).toEqual([0, 0])
    await expect(join('again')).resolves.toMatchObject({ status: 200 })
    expect(await rows()).toEqual([1, 3])
  })

  test('from two pages at once, with two keys, is one', async () => {
    const answers = await Promise.all([join('one'), join('two')])
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(answers[0].body.id).toBe(answers[1].body.id)
    expect(await rows()).toEqual([1, 3])
    expect(await guests()).toEqual([['ben@school.test'], ['ben@school.test'], ['ben@school.test']])
  })

  test('of three students at once is three', async () => {
    const others = await Promise.all(['cleo', 'dan'].map((name) => backend.person(name)))
    await Promise.all([join(), ...others.map((person) => join('join', person))])
    const all = ['ben@school.test', 'cleo@school.test', 'dan@school.test']
    expect((await guests()).map((list) => list.sort())).toEqual([all, all, all])
  })

  test('that one event refuses leaves neither guests nor rows', async () => {
    await refuse((await lessonsOf(id))[2].eventId)
    await expect(join()).resolves.toMatchObject({
      status: 403,
      body: { outcome: expect.stringMatching(/rejected|not-sent/) },
    })
    expect(await guests()).toEqual([[], [], []])
    expect(await rows()).toEqual([0, 0])
  })

  test('that cannot be left everywhere is left nowhere', async () => {
    await join()
    await refuse((await lessonsOf(id))[0].eventId)
    await expect(part()).resolves.toMatchObject({ status: 403 })
    expect(await guests()).toEqual([['ben@school.test'], ['ben@school.test'], ['ben@school.test']])
    expect(await rows()).toEqual([1, 3])
    await emulator.clearFaults()
    await expect(part()).resolves.toMatchObject({ status: 200 })
    expect(await guests()).toEqual([[], [], []])
  })

  test('waits for nobody’s grant but the teacher’s: without it nothing is done, and the student hears why', async () => {
    await backend.repository.saveTokens('ada', null)
    await expect(join()).resolves.toMatchObject({ status: 401, body: { code: 'GOOGLE_AUTH_REQUIRED' } })
    expect(await rows()).toEqual([0, 0])
  })

  test('is reminded of when it is due, once, and no more after it is left', async () => {
    await join()
    const { reminders } = backend
    await expect(reminders.sendDue(new Date('2027-03-22T08:59:59Z'))).resolves.toBe(0)
    const sent = await Promise.all([1, 2, 3].map(() => reminders.sendDue(new Date('2027-03-22T09:00:00Z'))))
    expect(sent.sort()).toEqual([0, 0, 1])
    await part()
    await expect(reminders.sendDue(new Date('2030-01-01T00:00:00Z'))).resolves.toBe(0)
  })
})

describe('requests', () => {
  test('that write need a key, a person and the right role', async () => {
    await expect(ada('POST', '/classes', { body: FORM })).resolves.toMatchObject({ status: 400 })
    await expect(ben('POST', '/classes', { body: FORM, key: 'k' })).resolves.toMatchObject({ status: 403 })
    const nobody = await fetch(`${backend.url}/api/classes`)
    expect(nobody.status).toBe(401)
    const forged = await fetch(`${backend.url}/api/classes`, { headers: { cookie: 'person=ada.forged' } })
    expect(forged.status).toBe(401)
  })

  test('of students show them no other student', async () => {
    const { id } = (await make()).body
    await ben('PUT', enrollment(id), { key: 'join' })
    const cleo = await backend.person('cleo')
    const { body } = await cleo('GET', '/classes')
    expect(body).toMatchObject([{ title: 'Algebra', places: 1, enrolled: false, mine: false }])
    expect(JSON.stringify(body)).not.toMatch(/Ben|ben@|eventId/)
  })

  test('are logged by operation and event, without texts and addresses', async () => {
    const { id } = (await make()).body
    await ben('PUT', enrollment(id), { key: 'join' })
    const { body } = await ada('GET', '/me/log')
    expect(body.length).toBeGreaterThanOrEqual(6)
    expect(body[0]).toMatchObject({ status: 'SUCCESS', eventId: expect.any(String), elapsedMs: expect.any(Number) })
    expect(JSON.stringify(body)).not.toMatch(/Algebra|@/)
  })

  test('back from Google with another state, another person or no code connect nothing', async () => {
    await backend.repository.saveTokens('ada', null)
    const visit = (path, cookies) =>
      fetch(`${backend.url}${path}`, { redirect: 'manual', headers: { cookie: cookies } })
    const cookieOf = (response) => response.headers.get('set-cookie').split(';')[0]
    const signIn = async (id) => {
      const headers = { 'content-type': 'application/json' }
      const body = JSON.stringify({ personId: id })
      return cookieOf(await fetch(`${backend.url}/api/session`, { method: 'PUT', headers, body }))
    }
    const [one, other] = [await signIn('ada'), await signIn('emmy')]
    const leaving = await visit('/google/connect', one)
    const state = cookieOf(leaving)
    const consent = await (await visit(leaving.headers.get('location'), one)).text()
    const back = consent.match(/href="([^"]*code[^"]*)"/)[1].replaceAll(/&#38;/g, '&')
    const tries = [
      [back.replace(/state=\w+/, 'state=x'), `${one}; ${state}`],
      [back, one],
      [back, `${other}; ${state}`],
      [back.replace(/code=\w+/, 'error=access_denied'), `${one}; ${state}`],
    ]
    for (const [path, cookies] of tries) {
      expect((await visit(path, cookies)).headers.get('location')).toBe('/?google=refused')
      await expect(backend.repository.tokensOf('ada')).resolves.toBeNull()
    }
    expect((await visit(back, `${one}; ${state}`)).headers.get('location')).toBe('/?google=connected')
    await expect(backend.repository.tokensOf('ada')).resolves.toHaveProperty('refresh_token')
    await expect(backend.repository.tokensOf('emmy')).resolves.toBeNull()
  })
})

describe.each(ROW_HOMES)('with its rows in %s', (_name, start) => {
  let home
  beforeEach(async () => {
    await backend.close()
    home = await start()
    await open({ repository: await openRepository(home.places) })
  })
  // The rows are closed with the backend: the stop is for what holds them.
  afterAll(() => home?.stop())

  test('a class is made once, joined, changed and left', async () => {
    const [{ body }] = await Promise.all([make(), make()])
    const id = body.id ?? (await backend.repository.classes())[0].id
    expect(await live()).toHaveLength(3)
    await Promise.all(['one', 'two'].map((key) => ben('PUT', enrollment(id), { key })))
    await expect(backend.repository.enrollments()).resolves.toHaveLength(1)
    const { version, lessons } = await classOf(id)
    const change = { key: 'change', body: { title: 'Geometry', version, lessons } }
    await expect(ada('PUT', `/classes/${id}`, change)).resolves.toMatchObject({ status: 200, body: { version: 2 } })
    await refuse((await lessonsOf(id))[1].eventId)
    await expect(ben('DELETE', enrollment(id), { key: 'no' })).resolves.toMatchObject({ status: 403 })
    expect(await guests()).toEqual([['ben@school.test'], ['ben@school.test'], ['ben@school.test']])
    await emulator.clearFaults()
    await expect(ben('DELETE', enrollment(id), { key: 'yes' })).resolves.toMatchObject({ status: 200 })
    expect(await guests()).toEqual([[], [], []])
    await expect(backend.repository.remindersOf('ben')).resolves.toEqual([])
  })
})

test('to Google itself people are sent with the state, for a refresh token, and for events alone', () => {
  const credentials = { clientId: 'id', clientSecret: 'secret', redirectUri: 'http://localhost:3000/google/callback' }
  const google = realGoogle(credentials)
  const url = new URL(google.consentUrl({ state: 'state1', email: 'ada@school.test' }))
  expect(url.host).toBe('accounts.google.com')
  expect(Object.fromEntries(url.searchParams)).toMatchObject({
    client_id: 'id',
    redirect_uri: credentials.redirectUri,
    response_type: 'code',
    access_type: 'offline',
    prompt: 'consent',
    scope: 'https://www.googleapis.com/auth/calendar.events',
    state: 'state1',
  })
  expect(url.href).not.toContain('secret')
  expect(google.rehearsal).toBeUndefined()
})

describe('behind migrate', () => {
  test.each([0, 0.5, 1])('a class’s life is the same at a share of %p, and no file knows', async (share) => {
    await backend.close()
    const switches = { updateEvent: share, removeAttendeeFromEvent: share }
    const auth = new OAuth2Client()
    const old = legacyService(emulator.url, { userId: 'ada', auth })
    await open({ behind: (service) => migrate(old, service, switches) })
    auth.setCredentials(await backend.repository.tokensOf('ada'))
    const { id } = (await make()).body
    await expect(ben('PUT', enrollment(id), { key: 'join' })).resolves.toMatchObject({ status: 200 })
    const { version, lessons } = await classOf(id)
    const body = { title: 'Geometry', version, lessons }
    await expect(ada('PUT', `/classes/${id}`, { key: 'change', body })).resolves.toMatchObject({ status: 200 })
    expect((await live()).map(({ summary }) => summary)).toEqual(['Geometry', 'Geometry', 'Geometry'])
    await expect(ben('DELETE', enrollment(id), { key: 'leave' })).resolves.toMatchObject({ status: 200 })
    expect(await guests()).toEqual([[], [], []])
  })
})
