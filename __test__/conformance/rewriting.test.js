'use strict'

// What Google stores is not what it was sent: times, defaults, guests, lists.

const { setStage } = require('../support/stage')
const { googleClient, told, reasonOf } = require('../support/google_client')
const { lesson } = require('../support/lessons')

const stage = setStage()
let user, client

async function enter(more) {
  user = await stage.user(more)
  client = googleClient(stage.google, user.accessToken)
}
beforeEach(() => enter())

const at = { calendarId: 'primary', eventId: 'lesson1' }
const insert = (more = {}, parameters = {}) =>
  told(client.events.insert({ calendarId: 'primary', requestBody: lesson({ id: 'lesson1', ...more }), ...parameters }))
const get = (parameters = {}) => told(client.events.get({ ...at, ...parameters }))
const patch = (requestBody, parameters = {}) => told(client.events.patch({ ...at, requestBody, ...parameters }))
const update = (requestBody) => told(client.events.update({ ...at, requestBody }))
const between = (start, end) => ({ start, end })

// ---- times

test('a time is echoed in the calendar’s zone, whatever offset was sent', async () => {
  await enter({ timeZone: 'America/New_York' })
  await expect(insert()).resolves.toMatchObject({
    body: { start: { dateTime: '2027-07-01T06:00:00-04:00' }, end: { dateTime: '2027-07-01T07:00:00-04:00' } },
  })
  await expect(get()).resolves.toMatchObject({ body: { start: { dateTime: '2027-07-01T06:00:00-04:00' } } })
})

test('the timeZone of a time is echoed as it was sent', async () => {
  await enter({ timeZone: 'America/New_York' })
  const time = (hour) => ({ dateTime: `2027-07-01T${hour}:00:00`, timeZone: 'Europe/Berlin' })
  const { body } = await insert(between(time(10), time(11)))
  expect(body.start).toEqual({ dateTime: '2027-07-01T04:00:00-04:00', timeZone: 'Europe/Berlin' })
})

test('the timeZone parameter of a read decides the offset of the reply', async () => {
  await insert()
  await expect(get({ timeZone: 'Asia/Kolkata' })).resolves.toMatchObject({
    body: { start: { dateTime: '2027-07-01T15:30:00+05:30' } },
  })
  const { body } = await told(client.events.list({ calendarId: 'primary', timeZone: 'Asia/Kolkata' }))
  expect(body.items[0].start.dateTime).toBe('2027-07-01T15:30:00+05:30')
})

test('fractions of a second are dropped', async () => {
  const times = between({ dateTime: '2027-07-01T10:00:00.01Z' }, { dateTime: '2027-07-01T11:00:00.999Z' })
  const { body } = await insert(times)
  expect([body.start.dateTime, body.end.dateTime]).toEqual(['2027-07-01T10:00:00Z', '2027-07-01T11:00:00Z'])
})

test('a time without offset needs a timeZone', async () => {
  const answer = await insert({ start: { dateTime: '2027-07-01T10:00:00' } })
  expect([answer.status, reasonOf(answer)]).toEqual([400, 'required'])
})

test('a recurring event needs a timeZone even with an offset', async () => {
  const recurrence = ['RRULE:FREQ=WEEKLY;COUNT=4']
  expect((await insert({ recurrence })).status).toBe(400)
  const zoned = (dateTime) => ({ dateTime, timeZone: 'UTC' })
  const times = between(zoned('2027-07-01T10:00:00Z'), zoned('2027-07-01T11:00:00Z'))
  await expect(insert({ recurrence, ...times })).resolves.toMatchObject({ status: 200, body: { recurrence } })
})

test('a whole day has dates, and its end is the day after', async () => {
  const days = between({ date: '2027-07-01' }, { date: '2027-07-02' })
  await expect(insert(days)).resolves.toMatchObject({ status: 200, body: days })
})

test.each([
  ['a date beside a dateTime', between({ date: '2027-07-01' }, { dateTime: '2027-07-02T00:00:00Z' })],
  [
    'date and dateTime in one',
    between({ date: '2027-07-01', dateTime: '2027-07-01T10:00:00Z' }, { date: '2027-07-02' }),
  ],
  ['an unknown zone', between({ dateTime: '2027-07-01T10:00:00', timeZone: 'Mars/Base' }, lesson().end)],
  ['a time that is none', between({ dateTime: 'tomorrow' }, lesson().end)],
])('%s is 400', async (_what, times) => {
  await expect(insert(times)).resolves.toMatchObject({ status: 400 })
})

// ---- what the server adds and leaves out

test('the server adds what belongs to it', async () => {
  const { body } = await insert()
  expect(body).toMatchObject({
    kind: 'calendar#event',
    status: 'confirmed',
    htmlLink: expect.stringContaining('https://www.google.com/calendar/event?eid='),
    created: expect.any(String),
    updated: expect.any(String),
    creator: { email: user.email, self: true },
    organizer: { email: user.email, self: true },
    iCalUID: 'lesson1@google.com',
    sequence: 0,
    reminders: { useDefault: true },
    eventType: 'default',
  })
})

test('documented defaults are left out of the reply', async () => {
  const defaults = {
    transparency: 'opaque',
    visibility: 'default',
    guestsCanInviteOthers: true,
    guestsCanModify: false,
    guestsCanSeeOtherGuests: true,
    anyoneCanAddSelf: false,
  }
  const { body } = await insert(defaults)
  for (const name of Object.keys(defaults)) expect(body).not.toHaveProperty(name)
})

test('empty text is the same as no text', async () => {
  const { body } = await insert({ description: '', location: null })
  expect(body).not.toHaveProperty('description')
  expect(body).not.toHaveProperty('location')
})

test('fields that only the server writes are ignored in a request', async () => {
  const { body } = await insert({
    etag: '"1"',
    htmlLink: 'https://else.test',
    created: '1999-01-01T00:00:00Z',
    sequence: 9,
  })
  expect(body.etag).not.toBe('"1"')
  expect(body.htmlLink).not.toContain('else.test')
  expect(body.created).not.toContain('1999')
})

test('a field Google does not know is ignored', async () => {
  const { status, body } = await insert({ teacherMood: 'good' })
  expect(status).toBe(200)
  expect(body).not.toHaveProperty('teacherMood')
})

test('the type of an event cannot be changed', async () => {
  await insert()
  await expect(update(lesson({ eventType: 'focusTime' }))).resolves.toMatchObject({ status: 400 })
})

// ---- guests

test('a guest starts with needsAction, the organizer among them as accepted and marked', async () => {
  const { body } = await insert({ attendees: [{ email: 'guest@school.test' }, { email: user.email }] })
  expect(body.attendees).toEqual([
    { email: 'guest@school.test', responseStatus: 'needsAction' },
    { email: user.email, organizer: true, self: true, responseStatus: 'accepted' },
  ])
})

test('what only the server says of a guest is not taken from a request', async () => {
  const { body } = await insert({ attendees: [{ email: 'guest@school.test', self: true, organizer: true, id: '7' }] })
  expect(body.attendees).toEqual([{ email: 'guest@school.test', responseStatus: 'needsAction' }])
})

test('an answer of a guest is kept when it is sent back', async () => {
  await insert({ attendees: [{ email: 'guest@school.test', responseStatus: 'accepted' }] })
  const { body } = await get()
  expect(body.attendees[0].responseStatus).toBe('accepted')
})

test('an address that is none is 400', async () => {
  await expect(insert({ attendees: [{ email: 'not an address' }] })).resolves.toMatchObject({ status: 400 })
})

test('more guests than maxAttendees are told as attendeesOmitted, with the asking participant alone', async () => {
  await insert({ attendees: [{ email: 'a@school.test' }, { email: 'b@school.test' }, { email: user.email }] })
  const { body } = await get({ maxAttendees: 1 })
  expect(body.attendeesOmitted).toBe(true)
  expect(body.attendees.map(({ email }) => email)).toEqual([user.email])
  expect((await get()).body).not.toHaveProperty('attendeesOmitted')
})

test('a write that says attendeesOmitted changes the participant’s own answer alone', async () => {
  await insert({ attendees: [{ email: 'a@school.test' }, { email: user.email }] })
  await patch({ attendeesOmitted: true, attendees: [{ email: user.email, responseStatus: 'declined' }] })
  const { body } = await get()
  expect(body.attendees.map(({ email, responseStatus }) => [email, responseStatus])).toEqual([
    ['a@school.test', 'needsAction'],
    [user.email, 'declined'],
  ])
})

// ---- PATCH and PUT

test('PATCH leaves alone what it does not name', async () => {
  await insert({ description: 'Bring a ruler', location: 'Room 7' })
  await expect(patch({ location: 'Room 8' })).resolves.toMatchObject({
    status: 200,
    body: { description: 'Bring a ruler', location: 'Room 8', summary: 'Algebra' },
  })
})

test('PATCH replaces a list whole', async () => {
  await insert({ attendees: [{ email: 'a@school.test' }, { email: 'b@school.test' }] })
  const { body } = await patch({ attendees: [{ email: 'c@school.test' }] })
  expect(body.attendees.map(({ email }) => email)).toEqual(['c@school.test'])
})

test('PATCH with null deletes', async () => {
  await insert({ description: 'Bring a ruler', extendedProperties: { private: { room: '7' } } })
  const { body } = await patch({ description: null, extendedProperties: { private: { room: null } } })
  expect(body).not.toHaveProperty('description')
  expect(body).not.toHaveProperty('extendedProperties')
})

test('PATCH merges extended properties by key', async () => {
  await insert({ extendedProperties: { private: { room: '7', term: '1' }, shared: { series: 'x' } } })
  const { body } = await patch({ extendedProperties: { private: { room: '8', building: 'B' } } })
  expect(body.extendedProperties).toEqual({
    private: { room: '8', term: '1', building: 'B' },
    shared: { series: 'x' },
  })
})

test('PATCH that changes nothing keeps the etag', async () => {
  const { body } = await insert()
  await expect(patch({ summary: 'Algebra' })).resolves.toMatchObject({ status: 200, body: { etag: body.etag } })
})

test('PUT resets what it does not name to its default', async () => {
  await insert({ description: 'Bring a ruler', extendedProperties: { private: { room: '7' } } })
  const { body } = await update(lesson())
  expect(body).not.toHaveProperty('description')
  expect(body).not.toHaveProperty('extendedProperties')
})

test('PUT without start is 400', async () => {
  await insert()
  await expect(update({ summary: 'No time' })).resolves.toMatchObject({ status: 400 })
})

// ---- extended properties, attachments, reminders

test('a property key of more than 44 characters vanishes without a word', async () => {
  const { status, body } = await insert({
    extendedProperties: { private: { ['k'.repeat(44)]: 'kept', ['k'.repeat(45)]: 'lost' } },
  })
  expect(status).toBe(200)
  expect(body.extendedProperties.private).toEqual({ ['k'.repeat(44)]: 'kept' })
})

test('a property value of more than 1024 characters is cut without a word', async () => {
  const { status, body } = await insert({ extendedProperties: { shared: { note: 'v'.repeat(1100) } } })
  expect(status).toBe(200)
  expect(body.extendedProperties.shared.note).toBe('v'.repeat(1024))
})

test('more than 300 properties, or 32 kB of them, are 400', async () => {
  const many = (count, length) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, 'v'.repeat(length)]))
  await expect(insert({ extendedProperties: { private: many(301, 1) } })).resolves.toMatchObject({ status: 400 })
  await expect(insert({ extendedProperties: { private: many(40, 1000) } })).resolves.toMatchObject({ status: 400 })
  await expect(insert({ extendedProperties: { private: many(300, 1) } })).resolves.toMatchObject({ status: 200 })
})

test('attachments are ignored unless supportsAttachments is true, and 25 at most', async () => {
  const attachments = (count) =>
    Array.from({ length: count }, (_, index) => ({ fileUrl: `https://drive.google.com/file/${index}` }))
  const { body } = await insert({ attachments: attachments(1) })
  expect(body).not.toHaveProperty('attachments')
  const known = { supportsAttachments: true }
  const second = await insert({ id: 'lesson2', attachments: attachments(25) }, known)
  expect(second.body.attachments).toHaveLength(25)
  await expect(insert({ id: 'lesson3', attachments: attachments(26) }, known)).resolves.toMatchObject({ status: 400 })
})

test('reminders: five overrides at most, each within 40320 minutes', async () => {
  const reminders = (...minutes) => ({
    reminders: { useDefault: false, overrides: minutes.map((m) => ({ method: 'popup', minutes: m })) },
  })
  const { body } = await insert(reminders(0, 40320))
  expect(body.reminders.overrides).toHaveLength(2)
  for (const wrong of [reminders(1, 2, 3, 4, 5, 6), reminders(40321), reminders(-1)]) {
    await expect(insert({ id: 'lesson2', ...wrong })).resolves.toMatchObject({ status: 400 })
  }
})

// ---- fields=

test('fields= answers only what was asked for', async () => {
  await insert({ attendees: [{ email: 'guest@school.test' }] })
  const { body } = await get({ fields: 'id,start/dateTime,attendees(email)' })
  expect(body).toEqual({
    id: 'lesson1',
    start: { dateTime: '2027-07-01T10:00:00Z' },
    attendees: [{ email: 'guest@school.test' }],
  })
})

test('fields= works on a write and on a list', async () => {
  await expect(insert({}, { fields: 'id,etag' })).resolves.toMatchObject({ body: { id: 'lesson1' } })
  expect(Object.keys((await patch({ summary: 'New' }, { fields: 'summary' })).body)).toEqual(['summary'])
  const { body } = await told(client.events.list({ calendarId: 'primary', fields: 'items(id,summary)' }))
  expect(body).toEqual({ items: [{ id: 'lesson1', summary: 'New' }] })
})

test('fields= of a name nobody knows is 400', async () => {
  await insert()
  const answer = await get({ fields: 'id,teacherMood' })
  expect([answer.status, reasonOf(answer)]).toEqual([400, 'invalidParameter'])
})
