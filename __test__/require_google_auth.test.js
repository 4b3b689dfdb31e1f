'use strict'

const { inspect } = require('node:util')
const request = require('supertest')
const { OAuth2Client } = require('google-auth-library')
const { setStage } = require('./support/stage')
const { EVENT, memoryStore, tokenPeople } = require('./support/token_people')
const surecal = require('../index.js')

const FRAMEWORKS = [
  ['Express 4', require('express4')],
  ['Express 5', require('express')],
]
const ISO = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)

const stage = setStage({ seed: 401 })
const people = tokenPeople(stage)
afterEach(() => stage.google.clearFaults())

describe.each(FRAMEWORKS)('%s', (_name, express) => {
  let service, store, user, handled

  /** An app whose users were let in before, with one route that makes an event. */
  function appWith(options, { identify = (req) => (req.user = { email: user.email, id: 'u1' }) } = {}) {
    const app = express()
    app.use((req, _res, next) => {
      identify(req)
      next()
    })
    app.post('/classes', service.requireGoogleAuth(options), async (req, res) => {
      handled.push(req)
      const { verified } = await service.createEvent(user.email, req.googleOAuth2Client ?? null, EVENT)
      res.json({ verified })
    })
    return app
  }
  const post = (app) => request(app).post('/classes')

  async function stageUser(more) {
    user = await people.user(more)
    store = memoryStore({ [user.email]: user.credentials })
    service = stage.service({ tokenStore: store })
    handled = []
  }
  const reconnected = () => ({
    status: 'error',
    message: 'Your Google Calendar connection has expired. Please reconnect.',
    code: 'GOOGLE_AUTH_FAILED',
    requiresReauth: true,
    action: 'Go to Settings → Connected Accounts → Reconnect Google Calendar',
    details: { error: expect.stringContaining('invalid_grant'), userEmail: user.email, timestamp: ISO },
  })

  describe('the guide’s three tests', () => {
    test('1: with one minute left the token is refreshed first, and the event is created', async () => {
      await stageUser({ expiresInSeconds: 60 })
      const since = await people.now()
      await post(appWith()).expect(200, { verified: true })
      expect(await people.refreshes(user)).toEqual(['ok'])
      expect((await people.calendarCalls(since)).map(({ status }) => status)).toEqual([200, 200])
      expect(await stage.live(user)).toHaveLength(1)
    })

    test('2: a revoked refresh token is a 401 with a clear message, and nothing goes on', async () => {
      await stageUser({ expiresInSeconds: 60 })
      await stage.google.revokeTokens({ email: user.email })
      const since = await people.now()
      const { body } = await post(appWith()).expect(401).expect('content-type', /json/)
      expect(body).toEqual(reconnected())
      expect(handled).toEqual([])
      expect(await people.calendarCalls(since)).toEqual([])
    })

    test('3: with thirty minutes left nothing is refreshed', async () => {
      await stageUser({ expiresInSeconds: 30 * 60 })
      await post(appWith()).expect(200, { verified: true })
      expect(await people.refreshes(user)).toEqual([])
    })
  })

  test('on success the request carries a real OAuth2Client with a fresh token', async () => {
    await stageUser({ expiresInSeconds: 60 })
    await post(appWith()).expect(200)
    const [req] = handled
    expect(req.googleTokenValid).toBe(true)
    expect(req.googleTokenError).toBeUndefined()
    expect(req.googleOAuth2Client).toBeInstanceOf(OAuth2Client)
    expect(req.googleOAuth2Client.credentials).toEqual(store.tokens[user.email])
    expect(req.googleOAuth2Client._clientId).toBe(stage.google.config.clientId)
  })

  test('a user who never connected gets the first body, word for word', async () => {
    await stageUser()
    delete store.tokens[user.email]
    const { body } = await post(appWith()).expect(401)
    expect(body).toEqual({
      status: 'error',
      message: 'Your Google Calendar connection has expired',
      code: 'GOOGLE_AUTH_REQUIRED',
      action: 'Please reconnect your Google account in Settings',
      details: { userEmail: user.email, timestamp: ISO },
    })
    expect(handled).toEqual([])
  })

  test('after the user connected again the next request goes on at once', async () => {
    await stageUser({ expiresInSeconds: 60 })
    await stage.google.revokeTokens({ email: user.email })
    const app = appWith()
    await post(app).expect(401)
    const again = await stage.google.addUser({ email: user.email })
    store.tokens[user.email] = again.credentials
    await post(app).expect(200, { verified: true })
  })

  test.each([
    ['a token endpoint that is down', { kind: 'status', status: 503 }],
    ['one that cuts its reply', { kind: 'truncate' }],
  ])('%s is the second body without requiresReauth', async (_what, fault) => {
    await stageUser({ expiresInSeconds: 60 })
    await stage.faultFor(user, { operation: 'oauth.token', fault })
    const { body } = await post(appWith({ timeoutMs: 300 })).expect(401)
    expect(body).toEqual({
      status: 'error',
      message: 'Failed to refresh your Google Calendar connection.',
      code: 'GOOGLE_AUTH_FAILED',
      requiresReauth: false,
      action: 'Please try again. If the problem persists, reconnect your Google account.',
      details: { error: expect.stringContaining('refreshed'), userEmail: user.email, timestamp: ISO },
    })
    expect(handled).toEqual([])
  })

  test('a store that is down, and a request without a user, are the second body too', async () => {
    await stageUser()
    store.load = () => Promise.reject(new Error('secret of the store'))
    const { body } = await post(appWith()).expect(401)
    expect(body).toMatchObject({ code: 'GOOGLE_AUTH_FAILED', requiresReauth: false })
    expect(JSON.stringify(body)).not.toContain('secret of the store')
    const nobody = await post(appWith({}, { identify: () => {} })).expect(401)
    expect(nobody.body).toMatchObject({ code: 'GOOGLE_AUTH_FAILED', details: { userEmail: null } })
  })

  test('a foreign error is not repeated in the body', async () => {
    await stageUser()
    const failing = () => Promise.reject(new Error('ya29.secret'))
    const { body } = await post(appWith({ user: failing })).expect(401)
    expect(body.code).toBe('GOOGLE_AUTH_FAILED')
    expect(JSON.stringify(body)).not.toContain('ya29.secret')
  })

  describe('throwOnFailure: false, the rollback', () => {
    const before = {
      code: 'TOKEN_REFRESH_FAILED',
      message: 'Failed to refresh Google authentication',
      details: 'User may need to re-authenticate with Google',
    }

    test('lets the request go on with googleTokenError as before', async () => {
      await stageUser({ expiresInSeconds: 60 })
      await stage.google.revokeTokens({ email: user.email })
      const seen = []
      const app = express()
      app.use((req, _res, next) => {
        req.userEmail = user.email
        next()
      })
      app.post('/classes', service.requireGoogleAuth({ throwOnFailure: false }), (req, res) => {
        seen.push(req)
        res.json({})
      })
      await post(app).expect(200)
      expect(seen[0].googleTokenError).toEqual(before)
      expect(seen[0].googleOAuth2Client).toBeUndefined()
      expect(seen[0].googleTokenValid).toBe(false)
    })

    test('flips at run time, for middleware that is in place', async () => {
      await stageUser({ expiresInSeconds: 60 })
      delete store.tokens[user.email]
      const app = express()
      const guard = service.requireGoogleAuth({ user: async () => user.email })
      app.post('/classes', guard, (req, res) => res.json({ error: req.googleTokenError ?? null }))
      await post(app).expect(401)
      service.configure({ tokens: { throwOnFailure: false } })
      await post(app).expect(200, { error: before })
      service.configure({ tokens: { throwOnFailure: true } })
      await post(app).expect(401)
    })
  })

  test('a response that somebody else sent meanwhile is left alone', async () => {
    await stageUser({ expiresInSeconds: 60 })
    await stage.google.revokeTokens({ email: user.email })
    const app = express()
    let guarded
    app.post('/classes', (req, res) => {
      res.status(503).json({ why: 'too late' })
      req.userEmail = user.email
      guarded = service.requireGoogleAuth()(req, res, () => handled.push(req))
    })
    await post(app).expect(503, { why: 'too late' })
    await guarded
    expect(handled).toEqual([])
  })
})

describe('whose tokens', () => {
  test.each([
    [{ user: { email: 'by-email', id: 'x' }, userEmail: 'y', userId: 'z' }, 'by-email'],
    [{ user: { id: 'x' }, userEmail: 'by-userEmail', userId: 'z' }, 'by-userEmail'],
    [{ user: { id: 'x' }, userId: 'by-userId' }, 'by-userId'],
    [{ user: { id: 'by-id' } }, 'by-id'],
  ])('%j asks the store for %s', async (req, id) => {
    const asked = []
    const service = stage.service({ tokenStore: { load: (who) => void asked.push(who) } })
    const res = { status: () => res, json: () => res }
    await service.requireGoogleAuth()(req, res, () => {})
    expect(asked).toEqual([id])
  })
})

describe('the options', () => {
  test.each([
    [{ throwOnFail: false }, 'throwOnFail'],
    [{ user: 'email' }, 'user'],
    [{ requireFresh: 'yes' }, 'requireFresh'],
    ['text', 'object'],
  ])('%j are refused at once, by name', (options, name) => {
    expect(() => stage.service().requireGoogleAuth(options)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION', message: expect.stringContaining(name) }),
    )
  })

  test('the module’s own middleware may be made before configure(), and says so when it is used', async () => {
    const guard = surecal.requireGoogleAuth()
    const answer = {}
    const res = {
      status: (status) => Object.assign(res, { code: status }),
      json: (body) => Object.assign(answer, body),
    }
    await guard({ userEmail: 'a@x.test' }, res, () => {})
    expect([res.code, answer.code]).toEqual([401, 'GOOGLE_AUTH_FAILED'])
    expect(answer.details.error).toContain('configure')
  })

  test('given as a middleware itself, it says what is wrong instead of letting requests hang', async () => {
    const app = require('express')()
    app.use(stage.service().requireGoogleAuth)
    app.use((error, _req, res, _next) => res.status(500).json({ message: error.message }))
    const { body } = await request(app).post('/').expect(500)
    expect(body.message).toContain('requireGoogleAuth()')
  })
})

test('a stand-in for getRefreshedOAuthClient that gives null is the first body', async () => {
  const service = stage.service()
  jest.spyOn(service, 'getRefreshedOAuthClient').mockResolvedValue(null)
  const app = require('express')()
  app.use(service.requireGoogleAuth({ user: () => 'a@x.test' }), (_req, res) => res.json({}))
  const { body } = await request(app).get('/').expect(401)
  expect(body.code).toBe('GOOGLE_AUTH_REQUIRED')
})

test('a request that is printed shows no token', async () => {
  const user = await people.user({ expiresInSeconds: 60 })
  const service = stage.service({ tokenStore: memoryStore({ [user.email]: user.credentials }) })
  const req = { userEmail: user.email }
  await service.requireGoogleAuth()(req, {}, () => {})
  const { credentials } = req.googleOAuth2Client
  const printed = inspect(req, { depth: 9, showHidden: true })
  for (const secret of [credentials.access_token, credentials.refresh_token, stage.google.config.clientSecret]) {
    expect(secret).toEqual(expect.any(String))
    expect(printed).not.toContain(secret)
  }
})
