'use strict'

// Insert, ids, duplicates, deleted ids.

const { setStage } = require('../support/stage')
const { googleClient, told, reasonOf } = require('../support/google_client')
const { lesson } = require('../support/lessons')

const stage = setStage()
let user, client

beforeEach(async () => {
  user = await stage.user()
  client = googleClient(stage.google, user.accessToken)
})

const insert = (requestBody, more = {}) =>
  told(client.events.insert({ calendarId: 'primary', requestBody: lesson(requestBody), ...more }))
const get = (eventId) => told(client.events.get({ calendarId: 'primary', eventId }))
const remove = (eventId) => told(client.events.delete({ calendarId: 'primary', eventId }))
const update = (eventId, requestBody) => told(client.events.update({ calendarId: 'primary', eventId, requestBody }))
const patch = (eventId, requestBody) => told(client.events.patch({ calendarId: 'primary', eventId, requestBody }))

test('an event without an id gets one of Google’s alphabet', async () => {
  const { status, body } = await insert()
  expect(status).toBe(200)
  expect(body.id).toMatch(/^[a-v0-9]{5,1024}$/)
})

test.each([
  ['5 characters, the shortest', 'abcde'],
  ['1024 characters, the longest', 'v0'.repeat(512)],
  ['digits alone', '0123456789'],
])('a client’s id of %s is taken as it is', async (_what, id) => {
  await expect(insert({ id })).resolves.toMatchObject({ status: 200, body: { id } })
  await expect(get(id)).resolves.toMatchObject({ status: 200, body: { id } })
})

test.each([
  ['4 characters', 'abcd'],
  ['1025 characters', 'a'.repeat(1025)],
  ['a letter after v', 'abcdw'],
  ['capital letters', 'ABCDE'],
  ['a dash', 'abc-de'],
  ['an underscore', 'abc_de'],
  ['nothing at all', ''],
])('an id of %s is refused with 400', async (_what, id) => {
  const answer = await insert({ id })
  expect([answer.status, reasonOf(answer)]).toEqual([400, 'invalid'])
  await expect(stage.live(user)).resolves.toEqual([])
})

test('an id that exists is 409 duplicate, and the event stays as it was', async () => {
  await insert({ id: 'lesson1', summary: 'First' })
  const answer = await insert({ id: 'lesson1', summary: 'Second' })
  expect([answer.status, reasonOf(answer)]).toEqual([409, 'duplicate'])
  await expect(get('lesson1')).resolves.toMatchObject({ body: { summary: 'First' } })
})

test('an id is unique in its calendar only', async () => {
  const other = await stage.google.addCalendar({ owner: user.email })
  const id = 'lesson1'
  await insert({ id })
  await expect(insert({ id }, { calendarId: other.id })).resolves.toMatchObject({ status: 200 })
})

test('the id of a deleted event is still taken: 409', async () => {
  await insert({ id: 'lesson1' })
  await remove('lesson1')
  const answer = await insert({ id: 'lesson1' })
  expect([answer.status, reasonOf(answer)]).toEqual([409, 'duplicate'])
})

test('delete answers 204 without a body', async () => {
  await insert({ id: 'lesson1' })
  const { status, body } = await remove('lesson1')
  expect([status, body || null]).toEqual([204, null])
})

test('deleting again is 410 deleted', async () => {
  await insert({ id: 'lesson1' })
  await remove('lesson1')
  const answer = await remove('lesson1')
  expect([answer.status, reasonOf(answer)]).toEqual([410, 'deleted'])
})

test('deleting what never existed is 404', async () => {
  const answer = await remove('never1')
  expect([answer.status, reasonOf(answer)]).toEqual([404, 'notFound'])
})

test('get answers a deleted event with status cancelled, its details still there for the organizer', async () => {
  await insert({ id: 'lesson1', summary: 'Algebra' })
  await remove('lesson1')
  await expect(get('lesson1')).resolves.toMatchObject({
    status: 200,
    body: { id: 'lesson1', status: 'cancelled', summary: 'Algebra' },
  })
})

test('update and patch of a deleted event are 403, as most reports say', async () => {
  await insert({ id: 'lesson1' })
  await remove('lesson1')
  for (const answer of [
    await update('lesson1', lesson({ status: 'confirmed' })),
    await patch('lesson1', { status: 'confirmed' }),
    await patch('lesson1', { summary: 'Alive' }),
  ]) {
    expect([answer.status, reasonOf(answer)]).toEqual([403, 'forbidden'])
  }
  await expect(get('lesson1')).resolves.toMatchObject({ body: { status: 'cancelled' } })
})

test('where reviving is switched on, as other reports say, an update with status confirmed brings the event back', async () => {
  await insert({ id: 'lesson1' })
  await remove('lesson1')
  await stage.google.behaviour({ reviveCancelled: true })
  try {
    await expect(update('lesson1', lesson({ status: 'confirmed' }))).resolves.toMatchObject({ status: 200 })
    await expect(get('lesson1')).resolves.toMatchObject({ body: { status: 'confirmed' } })
  } finally {
    await stage.google.behaviour({ reviveCancelled: false })
  }
})

test('a tombstone that Google has forgotten is 404, and its id free again', async () => {
  await insert({ id: 'lesson1' })
  await remove('lesson1')
  await stage.google.purgeEvent(user.calendarId, 'lesson1')
  await expect(get('lesson1')).resolves.toMatchObject({ status: 404 })
  await expect(insert({ id: 'lesson1' })).resolves.toMatchObject({ status: 200 })
})

test('patch with status cancelled deletes', async () => {
  await insert({ id: 'lesson1' })
  await expect(patch('lesson1', { status: 'cancelled' })).resolves.toMatchObject({ status: 200 })
  await expect(remove('lesson1')).resolves.toMatchObject({ status: 410 })
})

test('the iCalUID is the id at google.com unless it is given', async () => {
  await expect(insert({ id: 'lesson1' })).resolves.toMatchObject({ body: { iCalUID: 'lesson1@google.com' } })
  await expect(insert({ iCalUID: 'own@school.test' })).resolves.toMatchObject({ body: { iCalUID: 'own@school.test' } })
})

test.each([
  ['start', { start: undefined }],
  ['end', { end: undefined }],
])('an insert without %s is 400 required', async (_what, without) => {
  const answer = await insert(without)
  expect([answer.status, reasonOf(answer)]).toEqual([400, 'required'])
})

test('an event of a calendar that is not there, or not this user’s, is 404', async () => {
  const stranger = await stage.user()
  for (const calendarId of ['nobody@school.test', stranger.calendarId]) {
    const answer = await told(client.events.insert({ calendarId, requestBody: lesson() }))
    expect([answer.status, reasonOf(answer)]).toEqual([404, 'notFound'])
  }
})

test('a calendar is made with calendars.insert and read with calendars.get', async () => {
  const made = await told(client.calendars.insert({ requestBody: { summary: 'Class 7', timeZone: 'Europe/Berlin' } }))
  expect(made).toMatchObject({
    status: 200,
    body: { kind: 'calendar#calendar', summary: 'Class 7', timeZone: 'Europe/Berlin' },
  })
  const read = await told(client.calendars.get({ calendarId: made.body.id }))
  expect(read.body).toEqual(made.body)
  await expect(told(client.events.insert({ calendarId: made.body.id, requestBody: lesson() }))).resolves.toMatchObject({
    status: 200,
  })
})

test('primary is the calendar whose id is the user’s address', async () => {
  const { body } = await insert()
  await expect(told(client.events.get({ calendarId: user.email, eventId: body.id }))).resolves.toMatchObject({
    status: 200,
    body: { organizer: { email: user.email, self: true } },
  })
})
