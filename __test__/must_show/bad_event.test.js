'use strict'

// Bad input is a typed error that names the field, before anything is sent: every field of eventData.

const { setStage } = require('../support/stage')
const { watchRefusals, circle } = require('../support/refusals')
const { lesson } = require('../support/lessons')

const stage = setStage()
const { expectRefused } = watchRefusals(stage)
let service, user

beforeAll(async () => {
  service = stage.service()
  user = await stage.user()
})

const create = (eventData, options) => service.createEvent(user.email, user.accessToken, eventData, options)
const long = (length) => 'x'.repeat(length)
const at = (dateTime, timeZone) => ({ dateTime, ...(timeZone === undefined ? {} : { timeZone }) })

const TEXTS = [
  'summary',
  'description',
  'location',
  'colorId',
  'eventLabelId',
  'status',
  'transparency',
  'visibility',
  'eventType',
]
const FLAGS = ['guestsCanInviteOthers', 'guestsCanSeeOtherGuests', 'guestsCanModify', 'anyoneCanAddSelf', 'privateCopy']
const OBJECTS = [
  'start',
  'end',
  'reminders',
  'extendedProperties',
  'source',
  'conferenceData',
  'birthdayProperties',
  'focusTimeProperties',
  'outOfOfficeProperties',
  'workingLocationProperties',
]
const LISTS = ['recurrence', 'attendees', 'attachments']
const notA = (wrong, names) => names.flatMap((name) => wrong.map((value) => [name, value]))

test.each([
  ...notA([7, true, ['x'], { x: 1 }], TEXTS),
  ...notA([1, 'true', [], {}], FLAGS),
  ...notA([7, 'x', true, ['x']], OBJECTS),
  ...notA([7, 'x', true, { x: 1 }, [7], [null], [[]]], LISTS),
])('%s of the wrong type: %j', async (name, value) => {
  await expectRefused(create(lesson({ [name]: value })), name)
})

test.each([
  ['colorId', '12'],
  ['status', 'done'],
  ['status', 'cancelled'],
  ['transparency', 'glassy'],
  ['visibility', 'hidden'],
  ['eventType', 'party'],
])('%s with a word that is none of Google’s: %j', async (name, value) => {
  await expectRefused(create(lesson({ [name]: value })), name)
})

test.each([
  ['no start', { start: undefined }, 'start'],
  ['null as start', { start: null }, 'start'],
  ['no end', { end: undefined }, 'end'],
  ['an empty start', { start: {} }, 'start'],
  ['an end before the start', { end: at('2027-07-01T09:59:59Z') }, 'end'],
  ['a date beside a dateTime', { start: { date: '2027-07-01' } }, ''],
  ['date and dateTime in one', { start: { date: '2027-07-01', dateTime: '2027-07-01T10:00:00Z' } }, 'start'],
  ['a date that is a time', { start: { date: '2027-07-01T10:00:00Z' }, end: { date: '2027-07-02' } }, 'start'],
  ['a time that is a date', { start: at('2027-07-01') }, 'start'],
  ['words', { start: at('tomorrow at ten') }, 'start'],
  ['the 30th of February', { start: at('2027-02-30T10:00:00Z') }, 'start'],
  ['24 o’clock', { start: at('2027-07-01T24:00:00Z') }, 'start'],
  ['the basic format', { start: at('20270701T100000Z') }, 'start'],
  ['a time without offset and zone', { start: at('2027-07-01T10:00:00') }, 'start'],
  ['an unknown zone', { start: at('2027-07-01T10:00:00', 'Mars/Base') }, 'start'],
  ['a zone that is no zone', { start: at('2027-07-01T10:00:00', 'Etc/Unknown') }, 'start'],
  ['a number as time', { start: at(1814436000000) }, 'start'],
  ['a number as zone', { start: at('2027-07-01T10:00:00Z', 1) }, 'start'],
  ['an unknown member', { start: { ...at('2027-07-01T10:00:00Z'), offset: 1 } }, 'start'],
  ['NaN', { start: at(NaN) }, ''],
])('times: %s', async (_what, more, field) => {
  await expectRefused(create(lesson(more)), field)
})

test.each([
  ['no RRULE', ['every Monday']],
  ['an RRULE without FREQ', ['RRULE:COUNT=4']],
  ['an unknown FREQ', ['RRULE:FREQ=SOMETIMES']],
  ['a line break', ['RRULE:FREQ=DAILY\r\nDTSTART:20270101']],
  ['a DTSTART', ['DTSTART:20270101T000000Z']],
  ['a COUNT of 0', ['RRULE:FREQ=DAILY;COUNT=0']],
])('recurrence: %s', async (_what, recurrence) => {
  const zoned = { start: at('2027-07-01T10:00:00Z', 'UTC'), end: at('2027-07-01T11:00:00Z', 'UTC') }
  await expectRefused(create(lesson({ recurrence, ...zoned })), 'recurrence')
})

test.each([
  ['no address', [{}]],
  ['null as address', [{ email: null }]],
  ['an empty address', [{ email: '' }]],
  ['no @', [{ email: 'guest' }]],
  ['two @', [{ email: 'a@b@c' }]],
  ['a space', [{ email: 'a b@school.test' }]],
  ['a line break', [{ email: 'a@school.test\r\nBcc: b@school.test' }]],
  ['angle brackets', [{ email: '<a@school.test>' }]],
  ['text instead of an object', ['a@school.test']],
  ['an unknown answer', [{ email: 'a@school.test', responseStatus: 'maybe' }]],
  ['a name that is a number', [{ email: 'a@school.test', displayName: 7 }]],
  ['a flag that is text', [{ email: 'a@school.test', optional: 'yes' }]],
  ['less than no additional guests', [{ email: 'a@school.test', additionalGuests: -1 }]],
  ['half an additional guest', [{ email: 'a@school.test', additionalGuests: 0.5 }]],
  ['a member nobody knows', [{ email: 'a@school.test', mood: 'good' }]],
])('attendees: %s', async (_what, attendees) => {
  const error = await expectRefused(create(lesson({ attendees })), 'attendees')
  expect(JSON.stringify(error)).not.toContain('school.test')
})

const properties = (count, key, value) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${key}${index}`, value]))

test.each([
  ['a key that Google would drop', { private: { [long(45)]: 'v' } }],
  ['a value that Google would cut', { shared: { k: long(1025) } }],
  ['an empty key', { private: { '': 'v' } }],
  ['a value that is no text', { private: { k: 7 } }],
  ['more than 300', { private: properties(301, 'k', 'v') }],
  ['more than 32 kB', { private: properties(40, 'k', long(1000)) }],
  ['surecal’s own names', { private: { surecalPrint: 'v' } }],
  ['an unknown side', { secret: { k: 'v' } }],
])('extendedProperties: %s', async (_what, extendedProperties) => {
  await expectRefused(create(lesson({ extendedProperties })), 'extendedProperties')
})

const override = (more) => ({ useDefault: false, overrides: [{ method: 'popup', minutes: 10, ...more }] })

test.each([
  ['reminders', override({ minutes: -1 })],
  ['reminders', override({ minutes: 40321 })],
  ['reminders', override({ minutes: 1.5 })],
  ['reminders', override({ minutes: null })],
  ['reminders', override({ method: 'pigeon' })],
  ['reminders', { useDefault: false, overrides: Array(6).fill({ method: 'popup', minutes: 1 }) }],
  ['reminders', { useDefault: true, overrides: [{ method: 'popup', minutes: 1 }] }],
  ['reminders', { useDefault: 'yes' }],
  ['attachments', [{ title: 'no address' }]],
  ['attachments', Array(26).fill({ fileUrl: 'https://drive.google.com/x' })],
  ['conferenceData', { createRequest: 'please' }],
  ['conferenceData', { createRequest: { requestId: 7 } }],
  ['conferenceData', { createRequest: { conferenceSolutionKey: 'meet' } }],
  ['source', { title: 7 }],
])('%s: %j', async (name, value) => {
  await expectRefused(create(lesson({ [name]: value })), name)
})

test('an id of the caller’s is refused, for ids come from the key', async () => {
  await expectRefused(create(lesson({ id: 'lesson1' })), 'id')
})

test('a field nobody knows is refused by its name', async () => {
  await expectRefused(create(lesson({ sumary: 'Algebra' })), 'sumary')
})

test.each([
  ['undefined', undefined],
  ['null', null],
  ['text', 'lesson'],
  ['a number', 7],
  ['a list', [lesson()]],
  ['a function', () => lesson()],
  ['a Date', new Date()],
  ['an object that refers to itself', circle(lesson())],
  ['a BigInt inside', lesson({ summary: 10n })],
  [
    'a getter that throws',
    Object.defineProperty(lesson(), 'summary', { enumerable: true, get: () => JSON.parse('{') }),
  ],
  ['a toJSON that throws', lesson({ toJSON: () => JSON.parse('{') })],
  ['a lone surrogate', lesson({ summary: '\ud800' })],
  ['more than 1 MiB', lesson({ description: long(1024 * 1024 + 1) })],
])('eventData that is %s', async (_what, eventData) => {
  await expectRefused(create(eventData), 'eventData')
})

test('nesting without end is refused, not followed', async () => {
  let deep = {}
  for (let depth = 0; depth < 5000; depth += 1) deep = { deep }
  await expectRefused(create(lesson({ conferenceData: deep })), 'eventData')
})

test('an object with a polluted prototype sends nothing of the prototype', async () => {
  const eventData = Object.assign(Object.create({ attendees: [{ email: 'ghost@elsewhere.test' }] }), lesson())
  const ghost = await stage.user()
  const { event } = await service.createEvent(ghost.email, ghost.accessToken, eventData)
  expect(event).not.toHaveProperty('attendees')
})

test('createEvents names the event that is wrong', async () => {
  const wrong = [lesson(), lesson({ end: undefined })]
  await expectRefused(service.createEvents(user.email, user.accessToken, wrong), 'eventsData[1]')
  for (const none of [undefined, null, {}, 'x', []]) {
    await expectRefused(service.createEvents(user.email, user.accessToken, none), 'eventsData')
  }
})
