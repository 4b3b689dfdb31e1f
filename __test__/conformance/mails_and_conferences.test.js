'use strict'

// sendUpdates, conferences, non-organizers.

const { setStage } = require('../support/stage')
const { googleClient, told, reasonOf } = require('../support/google_client')
const { lesson, meet } = require('../support/lessons')

const stage = setStage()
let user, guest, client

beforeEach(async () => {
  user = await stage.user()
  guest = await stage.user()
  client = googleClient(stage.google, user.accessToken)
})
afterEach(() =>
  stage.google.behaviour({
    conferencePendingReads: 0,
    conferencePendingMs: 0,
    conferenceOutcome: 'success',
  }),
)

const at = { calendarId: 'primary', eventId: 'lesson1' }
const insert = (more = {}, parameters = {}) =>
  told(client.events.insert({ calendarId: 'primary', requestBody: lesson({ id: 'lesson1', ...more }), ...parameters }))
const get = () => told(client.events.get(at))

// ---- mails

const OUTSIDE = 'parent@elsewhere.test'
const invited = () => ({ attendees: [{ email: guest.email }, { email: OUTSIDE }] })
const mails = async () =>
  (await stage.google.mails())
    .filter(({ calendarId }) => calendarId === user.calendarId)
    .map(({ kind, to }) => `${kind} ${to === OUTSIDE ? 'outside' : 'inside'}`)
    .sort()

test.each([
  [{ sendUpdates: 'all' }, ['invitation inside', 'invitation outside']],
  [{ sendUpdates: 'externalOnly' }, ['invitation outside']],
  [{ sendUpdates: 'none' }, []],
  [{}, []],
  [{ sendNotifications: true }, ['invitation inside', 'invitation outside']],
  [{ sendNotifications: false }, []],
  [{ sendUpdates: 'none', sendNotifications: true }, []],
])('an insert with %j mails %j', async (parameters, expected) => {
  await insert(invited(), parameters)
  await expect(mails()).resolves.toEqual(expected)
})

test('a value of sendUpdates that is none of the three is 400', async () => {
  const answer = await insert(invited(), { sendUpdates: 'some' })
  expect([answer.status, reasonOf(answer)]).toEqual([400, 'invalidParameter'])
})

test('a change mails an update, a new guest an invitation, a guest taken off a cancellation', async () => {
  await insert(invited())
  const attendees = [{ email: guest.email }, { email: 'new@elsewhere.test' }]
  await told(client.events.patch({ ...at, requestBody: { summary: 'New', attendees }, sendUpdates: 'all' }))
  await expect(mails()).resolves.toEqual(['cancellation outside', 'invitation inside', 'update inside'])
})

test('a deletion mails a cancellation to every guest', async () => {
  await insert(invited())
  await told(client.events.delete({ ...at, sendUpdates: 'all' }))
  await expect(mails()).resolves.toEqual(['cancellation inside', 'cancellation outside'])
})

test('a change of private extended properties mails nobody', async () => {
  await insert(invited())
  const requestBody = { extendedProperties: { private: { room: '7' } } }
  await told(client.events.patch({ ...at, requestBody, sendUpdates: 'all' }))
  await expect(mails()).resolves.toEqual([])
})

test('a mail is not taken back when the reply of the write is lost', async () => {
  await stage.faultFor(user, {
    operation: 'events.insert',
    nth: 1,
    fault: { kind: 'status', status: 500, when: 'after' },
  })
  await insert(invited(), { sendUpdates: 'all' })
  await expect(mails()).resolves.toHaveLength(2)
})

// ---- conferences

const asked = { conferenceDataVersion: 1 }
const statusOf = ({ body }) => body.conferenceData?.createRequest?.status?.statusCode

test.each([[{}], [{ conferenceDataVersion: 0 }]])('conference data is ignored with %j', async (parameters) => {
  const { status, body } = await insert({ conferenceData: meet('request-1') }, parameters)
  expect(status).toBe(200)
  expect(body).not.toHaveProperty('conferenceData')
})

test('with version 1 the reply says pending, without a link', async () => {
  const answer = await insert({ conferenceData: meet('request-1') }, asked)
  expect(statusOf(answer)).toBe('pending')
  expect(answer.body).not.toHaveProperty('hangoutLink')
  expect(answer.body.conferenceData).not.toHaveProperty('entryPoints')
})

test('a later read says success, with the link, and a new etag', async () => {
  const inserted = await insert({ conferenceData: meet('request-1') }, asked)
  const answer = await get()
  expect(statusOf(answer)).toBe('success')
  expect(answer.body.hangoutLink).toMatch(/^https:\/\/meet\.google\.com\//)
  expect(answer.body.conferenceData.entryPoints[0].uri).toBe(answer.body.hangoutLink)
  expect(answer.body.etag).not.toBe(inserted.body.etag)
})

test('pending can last for several reads', async () => {
  await stage.google.behaviour({ conferencePendingReads: 2 })
  await insert({ conferenceData: meet('request-1') }, asked)
  const seen = [await get(), await get(), await get()].map(statusOf)
  expect(seen).toEqual(['pending', 'pending', 'success'])
})

test('a conference can fail: no link', async () => {
  await stage.google.behaviour({ conferenceOutcome: 'failure' })
  await insert({ conferenceData: meet('request-1') }, asked)
  const answer = await get()
  expect(statusOf(answer)).toBe('failure')
  expect(answer.body).not.toHaveProperty('hangoutLink')
})

test('the same requestId again is ignored: the link stays', async () => {
  await insert({ conferenceData: meet('request-1') }, asked)
  const { body: before } = await get()
  await told(client.events.patch({ ...at, requestBody: { conferenceData: meet('request-1') }, ...asked }))
  await expect(get()).resolves.toMatchObject({ body: { hangoutLink: before.hangoutLink } })
})

test('another requestId makes another link', async () => {
  await insert({ conferenceData: meet('request-1') }, asked)
  const { body: before } = await get()
  await told(client.events.patch({ ...at, requestBody: { conferenceData: meet('request-2') }, ...asked }))
  const { body: after } = await get()
  expect(after.hangoutLink).toMatch(/^https/)
  expect(after.hangoutLink).not.toBe(before.hangoutLink)
})

test('a PATCH or PUT without version 1 leaves the conference as it is', async () => {
  await insert({ conferenceData: meet('request-1') }, asked)
  const { body: before } = await get()
  await told(client.events.update({ ...at, requestBody: lesson({ summary: 'New' }) }))
  await expect(get()).resolves.toMatchObject({ body: { summary: 'New', hangoutLink: before.hangoutLink } })
})

test('a create request without requestId is 400', async () => {
  await expect(insert({ conferenceData: meet('') }, asked)).resolves.toMatchObject({ status: 400 })
})

// ---- copies of guests

test('a copy of somebody else’s event: shared fields are 403 forbiddenForNonOrganizer, one’s own are written', async () => {
  const event = {
    ...lesson({ id: 'copy1' }),
    organizer: { email: 'other@elsewhere.test' },
    attendees: [{ email: user.email, self: true, responseStatus: 'needsAction' }],
  }
  await stage.google.putEvent(user.calendarId, event)
  const patch = (requestBody) => told(client.events.patch({ calendarId: 'primary', eventId: 'copy1', requestBody }))
  const answer = await patch({ summary: 'Mine now' })
  expect([answer.status, reasonOf(answer)]).toEqual([403, 'forbiddenForNonOrganizer'])
  await expect(patch({ colorId: '4' })).resolves.toMatchObject({ status: 200, body: { colorId: '4' } })
})
