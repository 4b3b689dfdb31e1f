'use strict'

// Bad input is a typed error that names the field, before anything is sent: options, ids and auth.

const { setStage } = require('../support/stage')
const { watchRefusals, circle } = require('../support/refusals')
const { lesson } = require('../support/lessons')

const stage = setStage()
const { expectRefused, expectNothingSent } = watchRefusals(stage)
let service, user

beforeAll(async () => {
  service = stage.service()
  user = await stage.user()
})

const create = (eventData, options) => service.createEvent(user.email, user.accessToken, eventData, options)
const long = (length) => 'x'.repeat(length)

// ---- every option

test.each([
  ['idempotencyKey', 7],
  ['idempotencyKey', ''],
  ['idempotencyKey', long(5000)],
  ['idempotencyKey', 'a\nb'],
  ['calendarId', ''],
  ['calendarId', 'a/b'],
  ['calendarId', '..'],
  ['calendarId', 'a\r\nb'],
  ['calendarId', 7],
  ['conferenceDataVersion', 2],
  ['conferenceDataVersion', -1],
  ['conferenceDataVersion', '1'],
  ['sendUpdates', 'some'],
  ['sendUpdates', true],
  ['sendNotifications', 'yes'],
  ['skipVerification', 'yes'],
  ['skipVerification', 1],
  ['waitForConsistency', 1],
  ['timeoutMs', -1],
  ['timeoutMs', 0],
  ['timeoutMs', NaN],
  ['timeoutMs', Infinity],
  ['timeoutMs', '5000'],
  ['timeoutMs', 1e12],
  ['attemptTimeoutMs', -1],
  ['attemptTimeoutMs', NaN],
  ['attemptTimeoutMs', '5'],
  ['maxRetries', -1],
  ['maxRetries', 1.5],
  ['maxRetries', NaN],
  ['maxRetries', 101],
  ['maxRetries', '3'],
  ['onDeleted', 'ignore'],
  ['signal', 'now'],
  ['signal', {}],
  ['idempotencykey', 'a misspelt name'],
  ['verify', true],
])('options.%s: %j', async (name, value) => {
  await expectRefused(create(lesson(), { [name]: value }), name)
})

test.each([
  ['text', 'all'],
  ['a list', ['all']],
  ['a number', 7],
])('options that are %s', async (_what, options) => {
  await expectRefused(create(lesson(), options), 'options')
})

test('options that refer to themselves', async () => {
  const options = { sendUpdates: 'all' }
  options.calendarId = options
  await expectRefused(create(lesson(), options), '')
})

test('context may hold anything, for it is never sent', async () => {
  const context = circle(lesson())
  const error = await expectRefused(create(lesson({ end: undefined }), { context }), 'end')
  expect(error.code).toBe('VALIDATION_FAILED')
})

// ---- who and which

test.each([
  ['undefined', undefined],
  ['null', null],
  ['empty', ''],
  ['a plain object', {}],
  ['a list', []],
  ['NaN', NaN],
  ['a Date', new Date()],
])('a userId that is %s', async (_what, userId) => {
  await expectRefused(service.createEvent(userId, user.accessToken, lesson()), 'userId')
})

test.each([
  ['a number', 7, 'VALIDATION_FAILED'],
  ['a token with a line break', 'a\r\nX-Evil: 1', 'VALIDATION_FAILED'],
  ['a token beyond ASCII', 'tökén', 'VALIDATION_FAILED'],
  ['an empty token', '', 'GOOGLE_AUTH_REQUIRED'],
  ['no credentials at all', {}, 'GOOGLE_AUTH_REQUIRED'],
  ['null without a tokenStore', null, 'GOOGLE_AUTH_REQUIRED'],
])('auth that is %s', async (_what, auth, code) => {
  await expectRefused(service.createEvent(user.email, auth, lesson()), '', code)
})

const BAD_IDS = [
  '',
  ' ',
  '.',
  '..',
  'a/b',
  'a\\b',
  '../x',
  'a\r\nb',
  'a\0b',
  'a b',
  'ä',
  long(2000),
  7,
  null,
  undefined,
  {},
]

test.each(BAD_IDS)('an event id %j is refused by get, update and delete, and told by verifyEvent', async (id) => {
  await expectRefused(service.getEvent(user.email, user.accessToken, id), 'eventId')
  await expectRefused(service.updateEvent(user.email, user.accessToken, id, { summary: 'x' }), 'eventId')
  await expectRefused(service.deleteEvent(user.email, user.accessToken, id), 'eventId')
  const told = await service.verifyEvent(user.email, user.accessToken, id, {})
  expect(told).toMatchObject({ success: false, verified: false, errorCode: 'VALIDATION_FAILED' })
  await expectNothingSent()
})

test.each(['a?b', 'a#b', 'a&b=c', '%2e%2e', '%2F', 'a;b', 'a:b'])(
  'an event id %j stays inside its place in the path',
  async (id) => {
    const asking = await stage.user()
    await expect(service.getEvent(asking.email, asking.accessToken, id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const requests = await stage.requestsOf(asking)
    for (const { operation, path, eventId, query } of requests) {
      expect([operation, eventId, query]).toEqual(['events.get', id, ''])
      expect(path.split('/')).toHaveLength('/calendar/v3/calendars/primary/events/id'.split('/').length)
    }
    expect(requests.length).toBeGreaterThan(0)
  },
)

test.each([
  ['an unknown parameter', { maxResult: 7 }, 'maxResult'],
  ['a parameter that is an object', { q: { x: 1 } }, 'q'],
  ['no object', 'everything', 'query'],
])('a list query with %s', async (_what, query, field) => {
  const first = service.listEvents(user.email, user.accessToken, query).next()
  await expectRefused(first, field)
})
