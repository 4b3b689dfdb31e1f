'use strict'

// A canary for every secret: whatever goes wrong, none of them is in an error, a log line, or what is printed of the
// objects involved. Each canary is also shown to have been at work, so that a test cannot pass by not using it.

const fs = require('node:fs')
const path = require('node:path')
const { generateKeyPairSync, randomUUID } = require('node:crypto')
const http = require('node:http')
const { once } = require('node:events')
const { inspect } = require('node:util')
const request = require('supertest')
const { OAuth2Client, JWT } = require('google-auth-library')
const { RUST, JS } = require('../scripts/redactions')
const { CalendarError, CalendarService } = require('../index.js')
const { memoryStore, EVENT } = require('./support/token_people')

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})

/** A Google that fails as it is told, and repeats every secret it was sent in its answers. */
let google, answers, received
beforeAll(async () => {
  google = http.createServer(async (req, res) => {
    let body = ''
    for await (const piece of req) body += piece
    const isToken = req.url.startsWith('/token')
    const sent = `${req.headers.authorization ?? ''} ${decodeURIComponent(body)}`
    received.push(sent)
    const { status, type = 'application/json', text } = (isToken ? answers.token : answers.calendar)(sent)
    res.writeHead(status, { 'content-type': type }).end(text)
  })
  google.listen(0, '127.0.0.1')
  await once(google, 'listening')
})
afterAll(() => google.close())

let canaries, logged, printed
const secret = (kind) => (canaries[kind] = `canary-${kind}-${randomUUID()}`)
beforeEach(() => {
  canaries = {}
  received = []
  logged = []
  printed = []
  for (const stream of [process.stdout, process.stderr]) {
    jest.spyOn(stream, 'write').mockImplementation((text) => printed.push(String(text)))
  }
})
afterEach(async () => {
  jest.restoreAllMocks()
  await Promise.all(services.splice(0).map((service) => service.close({ drainMs: 0 })))
})
const services = []

const echo = (status, word) => (sent) => ({ status, text: JSON.stringify({ error: word, error_description: sent }) })
const rudeEcho = (status) => (sent) => ({ status, type: 'text/html', text: `<p>${sent}</p>` })
const calendarEcho = (status, reason) => (sent) => ({
  status,
  text: JSON.stringify({ error: { code: status, message: sent, errors: [{ reason, message: sent }] } }),
})

const logger = Object.fromEntries(
  ['debug', 'info', 'warn', 'error'].map((level) => [level, (...args) => logged.push(...args)]),
)

function serviceWith(config = {}) {
  const rootUrl = `http://127.0.0.1:${google.address().port}`
  const service = new CalendarService({
    rootUrl,
    tokenUrl: `${rootUrl}/token`,
    clientId: 'app',
    clientSecret: secret('client-secret'),
    timeoutMs: 400,
    retry: { maxRetries: 1, baseDelayMs: 1 },
    logger,
    ...config,
  })
  services.push(service)
  return service
}

/** Everything that somebody may see after a failure. */
async function seen(...objects) {
  await new Promise((resolve) => {
    setTimeout(resolve, 20) // The last notices.
  })
  const errors = objects.filter((object) => object instanceof Error)
  return [
    ...objects.map((object) => inspect(object, { depth: 12, showHidden: true })),
    ...errors.flatMap((error) => [error.stack, String(error), JSON.stringify(error), JSON.stringify(error.response)]),
    inspect(logged, { depth: 12 }),
    ...printed,
  ].join('\n')
}

function expectNoCanary(text) {
  for (const [kind, canary] of Object.entries(canaries)) {
    expect([kind, text.includes(canary)]).toEqual([kind, false])
  }
}

const FAILURES = [
  ['a dead grant', echo(400, 'invalid_grant'), 'GOOGLE_AUTH_REQUIRED'],
  ['a wrong client', echo(401, 'invalid_client'), 'CONFIGURATION'],
  ['an error word nobody knows', echo(400, 'canary_word'), undefined],
  ['a page of HTML', rudeEcho(200), 'GOOGLE_AUTH_FAILED'],
  ['a server error', rudeEcho(500), 'GOOGLE_AUTH_FAILED'],
  [
    'a token that no header can carry',
    (sent) => ({ status: 200, text: JSON.stringify({ access_token: sent, token_type: 'Bearer' }) }),
    'GOOGLE_AUTH_FAILED',
  ],
]

test.each(FAILURES)('%s at the token endpoint, which repeats what it was sent', async (_what, answer, code) => {
  answers = { token: answer, calendar: echo(500, 'unused') }
  const service = serviceWith()
  const auth = { access_token: secret('access-token'), refresh_token: secret('refresh-token'), expiry_date: 1 }
  const error = await service.createEvent('user', auth, EVENT).catch((thrown) => thrown)
  expect(CalendarError.is(error)).toBe(true)
  if (code) expect(error.code).toBe(code)
  const all = received.join('\n')
  expect(all).toContain(canaries['refresh-token'])
  expect(all).toContain(canaries['client-secret'])
  expectNoCanary(await seen(error, service))
})

test.each([
  ['401', calendarEcho(401, 'authError')],
  ['403', calendarEcho(403, 'insufficientPermissions')],
  ['500 of HTML', rudeEcho(500)],
])('%s of the calendar, which repeats the access token', async (_what, calendar) => {
  answers = { token: echo(400, 'invalid_grant'), calendar }
  const service = serviceWith()
  const auth = { access_token: secret('access-token'), refresh_token: secret('refresh-token') }
  const error = await service.createEvent('user', auth, EVENT).catch((thrown) => thrown)
  expect(received.join('\n')).toContain(`Bearer ${canaries['access-token']}`)
  expectNoCanary(await seen(error, service))
})

test('a new token, saved by a store that fails with it in its error', async () => {
  const granted = secret('new-token')
  const rotated = secret('rotated-token')
  const tokens = { access_token: granted, refresh_token: rotated, expires_in: 3600, token_type: 'Bearer' }
  answers = { token: () => ({ status: 200, text: JSON.stringify(tokens) }), calendar: calendarEcho(403, 'forbidden') }
  const store = memoryStore({ user: { refresh_token: secret('refresh-token') } })
  store.save = (_user, saved) => {
    store.saves.push(saved)
    return Promise.reject(new Error(JSON.stringify(saved)))
  }
  const service = serviceWith({ tokenStore: store })
  const error = await service.createEvent('user', null, EVENT).catch((thrown) => thrown)
  expect(store.saves[0]).toMatchObject({ access_token: granted, refresh_token: rotated })
  expect(logged.length).toBeGreaterThan(0)
  expectNoCanary(await seen(error, service))
})

test('a service account: its key and its assertion', async () => {
  answers = { token: echo(401, 'unauthorized_client'), calendar: echo(500, 'unused') }
  const service = serviceWith()
  const key = { type: 'service_account', client_email: `bot-${randomUUID()}@x.test`, private_key: privateKey }
  const error = await service.createEvent('user', key, EVENT).catch((thrown) => thrown)
  const [, assertion] = /assertion=([\w.-]+)/.exec(received.join('\n'))
  Object.assign(canaries, { assertion, signature: assertion.split('.')[2], key: privateKey.split('\n')[3] })
  expectNoCanary(await seen(error, service))
  const wrong = { ...key, private_key: privateKey.slice(0, 400) }
  expectNoCanary(await seen(await service.createEvent('user', wrong, EVENT).catch((thrown) => thrown)))
})

test('an auth object of Google’s that fails with its request in the error', async () => {
  answers = { token: echo(500, 'server_error'), calendar: echo(500, 'unused') }
  const jwt = new JWT({ email: 'bot@x.test', key: privateKey, scopes: ['calendar'] })
  const assertion = secret('assertion')
  jwt.refreshToken = () =>
    Promise.reject(Object.assign(new Error(assertion), { config: { data: assertion }, response: { data: assertion } }))
  const service = serviceWith()
  const error = await service.createEvent('user', jwt, EVENT).catch((thrown) => thrown)
  expect(error).toMatchObject({ code: 'GOOGLE_AUTH_FAILED' })
  expectNoCanary(await seen(error, service))
})

test('the configuration itself, when it is refused', async () => {
  const wrong = { clientId: secret('client-id'), clientSecret: { of: secret('client-secret-object') } }
  for (const config of [wrong, { clientSecret: secret('alone') }, { tokenUrl: `http://x.test/${secret('url')}` }]) {
    let error
    try {
      new CalendarService({ ...config, logger })
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ name: 'CalendarError' })
    expectNoCanary(await seen(error))
  }
})

test('the client on a request, the bodies of 401, and what the middleware logs', async () => {
  answers = { token: echo(400, 'invalid_grant'), calendar: echo(500, 'unused') }
  const store = memoryStore({
    user: { access_token: secret('access-token'), refresh_token: secret('refresh-token'), expiry_date: 1 },
  })
  const service = serviceWith({ tokenStore: store })
  const app = require('express')()
  const requests = []
  app.use(service.requireGoogleAuth({ user: () => 'user' }), (req, res) => {
    requests.push(req.googleOAuth2Client)
    res.json({})
  })
  const refused = await request(app).get('/').expect(401)
  expectNoCanary(`${refused.text}\n${await seen(service)}`)

  const tokens = { access_token: secret('new-token'), expires_in: 3600, token_type: 'Bearer' }
  answers.token = () => ({ status: 200, text: JSON.stringify(tokens) })
  store.tokens.user = { refresh_token: secret('second-refresh-token') }
  await request(app).get('/').expect(200)
  expect(requests[0]).toBeInstanceOf(OAuth2Client)
  expect(requests[0].credentials.access_token).toBe(canaries['new-token'])
  expectNoCanary(await seen(service, { client: requests[0] }))
})

// Not among the tests that `npm run mutate-redactions` runs: it would notice every mutant.
test('every redaction that is taken out to try the tests stands where its row says, once', () => {
  for (const { file, from, test: noticing } of [...RUST, ...JS]) {
    expect([file, noticing]).not.toEqual([file, 'secrets'])
    const text = fs.readFileSync(path.join(__dirname, '..', file), 'utf8')
    expect([file, from, text.split(from).length - 1]).toEqual([file, from, 1])
  }
})
