'use strict'

// Errors: statuses, and bodies to the letter, as Google's guide "Handle API errors" shows them.

const { setStage } = require('../support/stage')
const { googleClient, told } = require('../support/google_client')
const { lesson } = require('../support/lessons')

const stage = setStage()
let user, client

beforeEach(async () => {
  user = await stage.user()
  client = googleClient(stage.google, user.accessToken)
})

const at = { calendarId: 'primary', eventId: 'lesson1' }
const insert = (more = {}, by = client) =>
  told(by.events.insert({ calendarId: 'primary', requestBody: lesson({ id: 'lesson1', ...more }) }))

/** A body in Google's envelope with one error. */
const said = (code, domain, reason, message, place = {}) => ({
  error: { errors: [{ domain, reason, message, ...place }], code, message },
})
const AUTHORIZATION = { locationType: 'header', location: 'Authorization' }
const IF_MATCH = { locationType: 'header', location: 'If-Match' }

test('400 timeRangeEmpty: an event that ends before it starts', async () => {
  const answer = await insert({ end: { dateTime: '2027-07-01T09:00:00Z' } })
  expect(answer.status).toBe(400)
  expect(answer.body).toEqual(said(400, 'calendar', 'timeRangeEmpty', 'The specified time range is empty.'))
})

test('400 timeRangeEmpty: a list whose bounds are the wrong way round names the parameter', async () => {
  const range = { timeMin: '2027-07-02T00:00:00Z', timeMax: '2027-07-01T00:00:00Z' }
  const answer = await told(client.events.list({ calendarId: 'primary', ...range }))
  const place = { locationType: 'parameter', location: 'timeMax' }
  expect(answer.body).toEqual(said(400, 'calendar', 'timeRangeEmpty', 'The specified time range is empty.', place))
})

test('401 authError: a token nobody issued', async () => {
  const answer = await insert({}, googleClient(stage.google, 'ya29.nobody'))
  expect(answer.status).toBe(401)
  expect(answer.body).toEqual(said(401, 'global', 'authError', 'Invalid Credentials', AUTHORIZATION))
})

test('401 authError: a token that has expired', async () => {
  await stage.google.expireTokens({ accessToken: user.accessToken })
  const answer = await insert()
  expect(answer.body).toEqual(said(401, 'global', 'authError', 'Invalid Credentials', AUTHORIZATION))
})

test('401 required: no token at all', async () => {
  const answer = await insert({}, googleClient(stage.google, null))
  expect(answer.status).toBe(401)
  expect(answer.body).toEqual(said(401, 'global', 'required', 'Login Required.', AUTHORIZATION))
})

test('401 carries a challenge', async () => {
  const { headers } = await insert({}, googleClient(stage.google, 'ya29.nobody'))
  expect(headers.get('www-authenticate')).toContain('Bearer')
})

test('404 notFound', async () => {
  const answer = await told(client.events.get(at))
  expect(answer.status).toBe(404)
  expect(answer.body).toEqual(said(404, 'global', 'notFound', 'Not Found'))
})

test('409 duplicate', async () => {
  await insert()
  const answer = await insert()
  expect(answer.status).toBe(409)
  expect(answer.body).toEqual(said(409, 'global', 'duplicate', 'The requested identifier already exists.'))
})

test('410 deleted', async () => {
  await insert()
  await told(client.events.delete(at))
  const answer = await told(client.events.delete(at))
  expect(answer.status).toBe(410)
  expect(answer.body).toEqual(said(410, 'global', 'deleted', 'Resource has been deleted'))
})

test('410 fullSyncRequired: a sync token that is no longer valid', async () => {
  const answer = await told(client.events.list({ calendarId: 'primary', syncToken: 'old' }))
  const place = { locationType: 'parameter', location: 'syncToken' }
  const message = 'Sync token is no longer valid, a full sync is required.'
  expect(answer.status).toBe(410)
  expect(answer.body).toEqual(said(410, 'calendar', 'fullSyncRequired', message, place))
})

test('412 conditionNotMet', async () => {
  await insert()
  const answer = await told(client.events.delete(at, { headers: { 'If-Match': '"1"' } }))
  expect(answer.status).toBe(412)
  expect(answer.body).toEqual(said(412, 'global', 'conditionNotMet', 'Precondition Failed', IF_MATCH))
})

test('403 forbiddenForServiceAccounts: a service account without delegation invites nobody', async () => {
  const robot = await stage.user({ serviceAccount: true })
  const by = googleClient(stage.google, robot.accessToken)
  const answer = await insert({ attendees: [{ email: 'guest@school.test' }] }, by)
  const message = 'Service accounts cannot invite attendees without Domain-Wide Delegation of Authority.'
  expect(answer.status).toBe(403)
  expect(answer.body).toEqual(said(403, 'calendar', 'forbiddenForServiceAccounts', message))
  await expect(insert({}, by)).resolves.toMatchObject({ status: 200 })
})

test('403 insufficientPermissions: a token without the scope, with the newer details beside the older reason', async () => {
  const reader = await stage.user({ scope: 'https://www.googleapis.com/auth/calendar.readonly' })
  const { status, body } = await insert({}, googleClient(stage.google, reader.accessToken))
  expect(status).toBe(403)
  expect(body.error).toMatchObject({
    code: 403,
    errors: [{ domain: 'global', reason: 'insufficientPermissions' }],
    status: 'PERMISSION_DENIED',
    details: [{ reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT' }],
  })
})

test('403 requiredAccessLevel: a reader of somebody’s calendar may not write', async () => {
  const owner = await stage.user()
  const made = await stage.google.addCalendar({ owner: owner.email, sharedWith: { [user.email]: 'reader' } })
  const calendarId = made.id
  await expect(told(client.events.list({ calendarId }))).resolves.toMatchObject({ status: 200 })
  const answer = await told(client.events.insert({ calendarId, requestBody: lesson() }))
  expect(answer).toMatchObject({ status: 403, body: { error: { errors: [{ reason: 'requiredAccessLevel' }] } } })
})

// What the network or Google's front end says, played by the fault rules.
test.each([
  [403, 'userRateLimitExceeded', 'usageLimits', 'User Rate Limit Exceeded'],
  [403, 'rateLimitExceeded', 'usageLimits', 'Rate Limit Exceeded'],
  [403, 'quotaExceeded', 'usageLimits', 'Calendar usage limits exceeded.'],
  [403, 'dailyLimitExceeded', 'usageLimits', 'Daily Limit Exceeded'],
  [403, 'forbiddenForNonOrganizer', 'calendar', 'Shared properties can only be changed by the organizer of the event.'],
  [409, 'conflict', 'global', 'Conflict'],
  [429, 'rateLimitExceeded', 'usageLimits', 'Rate Limit Exceeded'],
  [500, 'backendError', 'global', 'Backend Error'],
  [503, 'backendError', 'global', 'Backend Error'],
])('%i %s is said to the letter, and nothing is stored', async (status, reason, domain, message) => {
  await stage.faultFor(user, { operation: 'events.insert', nth: 1, fault: { kind: 'status', status, reason } })
  const answer = await insert()
  expect(answer.status).toBe(status)
  expect(answer.body).toEqual(said(status, domain, reason, message))
  expect(answer.headers.get('retry-after')).toBeNull()
  await expect(stage.live(user)).resolves.toEqual([])
})

test('429 may carry Retry-After', async () => {
  const fault = { kind: 'status', status: 429, retryAfterSeconds: 7 }
  await stage.faultFor(user, { operation: 'events.insert', nth: 1, fault })
  const { status, headers } = await insert()
  expect([status, headers.get('retry-after')]).toEqual([429, '7'])
})

test('500 can come although the event was stored', async () => {
  const fault = { kind: 'status', status: 500, when: 'after' }
  await stage.faultFor(user, { operation: 'events.insert', nth: 1, fault })
  await expect(insert()).resolves.toMatchObject({ status: 500 })
  await expect(told(client.events.get(at))).resolves.toMatchObject({ status: 200, body: { id: 'lesson1' } })
})

test('a body that is not JSON is 400 parseError', async () => {
  const reply = await fetch(`${stage.google.url}/calendar/v3/calendars/primary/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${user.accessToken}`, 'content-type': 'application/json' },
    body: '{"summary":',
  })
  expect(reply.status).toBe(400)
  await expect(reply.json()).resolves.toEqual(said(400, 'global', 'parseError', 'Parse Error'))
})

test('every error body says its status in code', async () => {
  await insert()
  const answers = [
    await insert(),
    await told(client.events.get({ ...at, eventId: 'never1' })),
    await insert({ id: '-' }),
  ]
  for (const { status, body } of answers) expect(body.error.code).toBe(status)
})
