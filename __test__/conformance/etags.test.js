'use strict'

// ETag, If-Match, If-None-Match, sequence.

const { setStage } = require('../support/stage')
const { googleClient, told, reasonOf } = require('../support/google_client')
const { lesson } = require('../support/lessons')

const stage = setStage()
let client, event

beforeEach(async () => {
  const user = await stage.user()
  client = googleClient(stage.google, user.accessToken)
  const { body } = await told(client.events.insert({ calendarId: 'primary', requestBody: lesson({ id: 'lesson1' }) }))
  event = body
})

const at = { calendarId: 'primary', eventId: 'lesson1' }
const ifMatch = (etag) => ({ headers: { 'If-Match': etag } })
const get = (options) => told(client.events.get(at, options))
const writes = {
  update: (options) => told(client.events.update({ ...at, requestBody: lesson({ summary: 'New' }) }, options)),
  patch: (options) => told(client.events.patch({ ...at, requestBody: { summary: 'New' } }, options)),
  delete: (options) => told(client.events.delete(at, options)),
}

test('an etag is quoted text, in the field and in the header alike', async () => {
  const { body, headers } = await get()
  expect(body.etag).toMatch(/^"\d+"$/)
  expect(headers.get('etag')).toBe(body.etag)
})

test('reading does not change the etag; every write that changes something does', async () => {
  await expect(get()).resolves.toMatchObject({ body: { etag: event.etag } })
  const patched = await writes.patch()
  expect(patched.body.etag).not.toBe(event.etag)
  const updated = await told(client.events.update({ ...at, requestBody: lesson({ summary: 'Newer' }) }))
  expect([event.etag, patched.body.etag]).not.toContain(updated.body.etag)
})

test.each(Object.keys(writes))('%s with the right If-Match is done', async (write) => {
  const { status } = await writes[write](ifMatch(event.etag))
  expect([200, 204]).toContain(status)
})

test.each(Object.keys(writes))('%s with an old If-Match is 412 conditionNotMet and changes nothing', async (write) => {
  const { body: newer } = await told(client.events.patch({ ...at, requestBody: { location: 'Room 7' } }))
  const answer = await writes[write](ifMatch(event.etag))
  expect([answer.status, reasonOf(answer)]).toEqual([412, 'conditionNotMet'])
  await expect(get()).resolves.toMatchObject({ body: newer })
})

test.each(Object.keys(writes))('%s with If-Match * is done', async (write) => {
  const { status } = await writes[write](ifMatch('*'))
  expect([200, 204]).toContain(status)
})

test('an etag without its quotes does not match', async () => {
  await expect(writes.patch(ifMatch(event.etag.replaceAll('"', '')))).resolves.toMatchObject({ status: 412 })
})

test('a write without If-Match is unconditional: the last one wins', async () => {
  await writes.patch()
  await expect(told(client.events.patch({ ...at, requestBody: { summary: 'Last' } }))).resolves.toMatchObject({
    status: 200,
    body: { summary: 'Last' },
  })
})

test('a read with If-None-Match of the same etag is 304 without a body', async () => {
  const { status, body } = await get({ headers: { 'If-None-Match': event.etag } })
  expect([status, body || null]).toEqual([304, null])
})

test('a read with another If-None-Match is the event', async () => {
  await writes.patch()
  await expect(get({ headers: { 'If-None-Match': event.etag } })).resolves.toMatchObject({
    status: 200,
    body: { summary: 'New' },
  })
})

test('an insert knows no If-Match: an id that exists stays 409', async () => {
  const reply = client.events.insert(
    { calendarId: 'primary', requestBody: lesson({ id: 'lesson1' }) },
    ifMatch(event.etag),
  )
  await expect(told(reply)).resolves.toMatchObject({ status: 409 })
})

test('412 can come although the etag is right, once, and then the same write is done', async () => {
  await stage.google.fault({ operation: 'events.patch', nth: 1, fault: { kind: 'precondition' } })
  const refused = await writes.patch(ifMatch(event.etag))
  expect([refused.status, reasonOf(refused)]).toEqual([412, 'conditionNotMet'])
  await expect(writes.patch(ifMatch(event.etag))).resolves.toMatchObject({ status: 200 })
})

test('the sequence starts at 0 and rises with a new time, not with a new title', async () => {
  expect(event.sequence).toBe(0)
  await expect(writes.patch()).resolves.toMatchObject({ body: { sequence: 0 } })
  const end = { dateTime: '2027-07-01T12:00:00Z' }
  await expect(told(client.events.patch({ ...at, requestBody: { end } }))).resolves.toMatchObject({
    body: { sequence: 1 },
  })
})

test('updated moves with a write, created stays', async () => {
  const { body } = await writes.patch()
  expect(Date.parse(body.updated)).toBeGreaterThanOrEqual(Date.parse(event.updated))
  expect(body.created).toBe(event.created)
})
