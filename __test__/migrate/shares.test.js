'use strict'

// One backend, whose call sites know of one service, over the old service and surecal, at 0, 50 and 100 per cent.

const { once } = require('node:events')
const { OAuth2Client } = require('google-auth-library')
const { migrate } = require('surecal/migrate')
const { classApp } = require('../../demo/app')
const { legacyService } = require('../support/legacy_service')
const { lesson } = require('../support/lessons')
const { setStage } = require('../support/stage')

const stage = setStage({ seed: 611 })
const PEOPLE = 12

const clientOf = (user) => {
  const auth = new OAuth2Client(stage.google.config)
  auth.setCredentials(user.credentials)
  return auth
}

/** Which service made an event: surecal's carry its mark. */
const madeBySurecal = (event) => event.extendedProperties?.private?.surecalPrint !== undefined

const classOf = (title) => ({
  title,
  start: '2027-07-01T10:00:00Z',
  end: '2027-07-01T11:00:00Z',
  timeZone: 'Europe/Berlin',
  students: ['student@school.test'],
})

/** The demo's backend; nothing in it knows that there are two services. */
async function backend(GoogleCalendarService, people) {
  const auths = new Map(people.map((user) => [user.email, clientOf(user)]))
  const server = classApp({ GoogleCalendarService, authOf: (email) => auths.get(email) }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    create: async (user, title) => {
      const response = await fetch(`http://127.0.0.1:${server.address().port}/classes`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-user': user.email, 'x-idempotency-key': `${title}-key` },
        body: JSON.stringify(classOf(title)),
      })
      return { status: response.status, body: await response.json() }
    },
    close: async () => {
      server.closeAllConnections()
      await once(server.close(), 'close')
    },
  }
}

/** What call sites of services do, word for word the same whoever answers. */
async function aClassesLife(GoogleCalendarService, userId, auth) {
  const made = await GoogleCalendarService.createEvent(userId, auth, lesson())
  const moved = await GoogleCalendarService.updateEvent(userId, auth, made.event.id, { summary: 'Geometry' })
  const gone = await GoogleCalendarService.deleteEvent(userId, auth, made.event.id)
  return [made.success, made.event.summary, moved.success, moved.event.summary, gone.success]
}

describe('the same backend, switched while it runs', () => {
  let people, calendar, app

  beforeAll(async () => {
    people = await Promise.all(Array.from({ length: PEOPLE }, () => stage.user()))
    calendar = migrate(legacyService(stage.google.url), stage.service())
    app = await backend(calendar, people)
  })
  afterAll(() => app?.close())

  test.each([
    ['0 per cent', 0],
    ['50 per cent', 0.5],
    ['100 per cent', 1],
    ['0 per cent again', 0],
  ])('at %s each user’s class is in the calendar, made by the service of that user', async (title, share) => {
    calendar.set({ createEvent: share })
    const moved = people.filter((user) => calendar.sideOf('createEvent', user.email) === 'new')
    const answers = await Promise.all(people.map((user) => app.create(user, title)))
    for (const [index, user] of people.entries()) {
      expect(answers[index]).toEqual({ status: 201, body: { status: 'success', eventId: expect.any(String) } })
      const events = (await stage.live(user)).filter((event) => event.summary === title)
      expect(events).toMatchObject([{ id: answers[index].body.eventId, attendees: [{ email: 'student@school.test' }] }])
      expect(madeBySurecal(events[0])).toBe(moved.includes(user))
    }
    expect(moved.length > 0).toBe(share > 0)
    expect(moved.length < PEOPLE).toBe(share < 1)
  })

  test.each([0, 0.5, 1])('create, update and delete answer call sites the same at %p', async (share) => {
    calendar.set({ createEvent: share, updateEvent: share, deleteEvent: share })
    const life = (user) => aClassesLife(calendar, user.email, clientOf(user))
    for (const answers of await Promise.all(people.map(life))) {
      expect(answers).toEqual([true, 'Algebra', true, 'Geometry', true])
    }
    for (const user of people) {
      expect((await stage.live(user)).filter(({ summary }) => ['Algebra', 'Geometry'].includes(summary))).toEqual([])
    }
  })
})

test.each([0, 0.5, 1])('guests come and go by call sites of two arguments, the same at %p', async (share) => {
  const user = await stage.user()
  const place = { userId: user.email, auth: clientOf(user) }
  const service = stage.service({ resolveCalendarForEvent: async () => ({ ...place, calendarId: 'primary' }) })
  const switches = { createEvent: true, addAttendeeToEvent: share, removeAttendeeFromEvent: share }
  const calendar = migrate(legacyService(stage.google.url, place), service, switches)
  const lessons = Array.from({ length: 6 }, () => calendar.createEvent(user.email, place.auth, lesson()))
  const ids = (await Promise.all(lessons)).map(({ event }) => event.id)
  const guests = async () => (await stage.live(user)).map(({ attendees = [] }) => attendees.map(({ email }) => email))

  for (const email of ['ada@school.test', 'bob@school.test']) {
    for (const id of ids) expect((await calendar.addAttendeeToEvent(id, email)).success).toBe(true)
  }
  expect(await guests()).toEqual(ids.map(() => ['ada@school.test', 'bob@school.test']))
  for (const id of ids) expect((await calendar.removeAttendeeFromEvent(id, 'ada@school.test')).success).toBe(true)
  expect(await guests()).toEqual(ids.map(() => ['bob@school.test']))
})

describe('an event of one service in the hands of the other', () => {
  let user, auth, old, service

  beforeEach(async () => {
    user = await stage.user()
    auth = clientOf(user)
    old = legacyService(stage.google.url)
    service = stage.service()
  })
  const idOf = async (from) => (await from.createEvent(user.email, auth, lesson())).event.id

  test('what the old one made the new one updates, reads back and deletes', async () => {
    const id = await idOf(old)
    await expect(service.updateEvent(user.email, auth, id, { summary: 'Geometry' })).resolves.toMatchObject({
      success: true,
      verified: true,
      event: { id, summary: 'Geometry' },
    })
    await expect(stage.live(user)).resolves.toMatchObject([{ id, summary: 'Geometry' }])
    await expect(service.deleteEvent(user.email, auth, id)).resolves.toMatchObject({ success: true, verified: true })
    await expect(stage.live(user)).resolves.toEqual([])
  })

  test('what the new one made the old one updates and deletes', async () => {
    const id = await idOf(service)
    await expect(old.updateEvent(user.email, auth, id, { summary: 'Geometry' })).resolves.toMatchObject({
      success: true,
    })
    await expect(stage.live(user)).resolves.toMatchObject([{ id, summary: 'Geometry' }])
    await old.deleteEvent(user.email, auth, id)
    await expect(stage.live(user)).resolves.toEqual([])
  })

  test('what the new one made and the old one wrote a whole old copy over is still updated and deleted by the new', async () => {
    const id = await idOf(service)
    await old.replaceEvent(user.email, auth, id, lesson({ summary: 'Old copy' }))
    const [{ extendedProperties, ...event }] = await stage.live(user)
    expect([event.summary, extendedProperties]).toEqual(['Old copy', undefined])
    await expect(service.updateEvent(user.email, auth, id, { location: 'Room 7' })).resolves.toMatchObject({
      verified: true,
      event: { summary: 'Old copy', location: 'Room 7' },
    })
    await expect(service.deleteEvent(user.email, auth, id)).resolves.toMatchObject({ success: true })
    await expect(stage.live(user)).resolves.toEqual([])
  })

  test('what the old one deleted is for the new one already deleted, and the other way round an error of the old', async () => {
    const [one, other] = [await idOf(old), await idOf(service)]
    await old.deleteEvent(user.email, auth, one)
    await expect(service.deleteEvent(user.email, auth, one)).resolves.toMatchObject({ alreadyDeleted: true })
    await service.deleteEvent(user.email, auth, other)
    await expect(old.deleteEvent(user.email, auth, other)).rejects.toMatchObject({ status: 410 })
  })
})
