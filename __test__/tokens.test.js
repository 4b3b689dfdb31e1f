'use strict'

// Tokens over the real addon, an emulated Google, and Google's own google-auth-library.

const { spawn } = require('node:child_process')
const { generateKeyPairSync, randomUUID } = require('node:crypto')
const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const readline = require('node:readline')
const { setStage, until } = require('./support/stage')
const { EVENT, memoryStore, tokenPeople } = require('./support/token_people')

// The first is what getRefreshedOAuthClient makes its client of.
const libraries = [require('google-auth-library'), require('google-auth-library-11'), require('google-auth-library-9')]
const { ownNow } = require('./support/own_now')
const MINUTE = 60000

const stage = setStage({ seed: 2027 })
const people = tokenPeople(stage)
afterEach(() => stage.google.clearFaults())

const clientOf = (user, { OAuth2Client } = libraries[0]) => {
  const { clientId, clientSecret } = stage.google.config
  const client = new OAuth2Client({ clientId, clientSecret })
  client.setCredentials(user.credentials)
  return client
}

/** A service whose store knows this user. */
const serviceFor = (user, config) => {
  const store = memoryStore({ [user.id]: user.credentials })
  return { store, service: stage.service({ tokenStore: store, ...config }) }
}

describe('one refresh for all', () => {
  test('200 calls of one user with an expired token, over 20 auth objects, make one token request', async () => {
    const user = await people.user({ expiresInSeconds: -1 })
    const clients = Array.from({ length: 20 }, (_, i) => clientOf(user, libraries[i % 3]))
    const events = clients.map(() => 0)
    clients.forEach((client, i) => client.on('tokens', () => (events[i] += 1)))
    const service = stage.service({ timeoutMs: 25000 })
    const since = await people.now()
    const calls = Array.from({ length: 200 }, async (_, i) => {
      const client = clients[i % 20]
      if (i % 10 === 0) return service.createEvent(user.id, client, EVENT)
      for await (const event of service.listEvents(user.id, client)) return event
      return null
    })
    await Promise.all(calls)

    expect(await people.refreshes(user)).toEqual(['ok'])
    const sent = await people.calendarCalls(since)
    expect(sent.length).toBeGreaterThanOrEqual(220)
    expect(sent.filter(({ status, user: who }) => status !== 200 || who !== user.email)).toEqual([])
    expect(new Set(clients.map((client) => client.credentials.access_token)).size).toBe(1)
    expect(clients[0].credentials.access_token).not.toBe(user.accessToken)
    expect(events).toEqual(clients.map(() => 1))
    expect(await stage.live(user)).toHaveLength(20)
  })

  test('two services of a process share it', async () => {
    const user = await people.user({ expiresInSeconds: -1 })
    const services = [stage.service(), stage.service()]
    await Promise.all(services.map((service) => service.createEvent(user.id, clientOf(user), EVENT)))
    expect(await people.refreshes(user)).toEqual(['ok'])
  })

  test('plain credentials that nobody updates are refreshed once, not at each call', async () => {
    const user = await people.user({ expiresInSeconds: -1 })
    const service = stage.service()
    for (let i = 0; i < 3; i += 1) await service.createEvent(user.id, user.credentials, EVENT)
    expect(await people.refreshes(user)).toEqual(['ok'])
    expect(user.credentials.access_token).toBe(user.accessToken) // The caller's object is the caller's.
  })

  test('a 401 in mid-operation: one refresh for all who met it, and every call succeeds', async () => {
    const user = await people.user()
    const service = stage.service({ timeoutMs: 25000 })
    const client = clientOf(user)
    await stage.google.expireTokens({ email: user.email })
    await Promise.all(Array.from({ length: 50 }, () => service.createEvent(user.id, client, EVENT)))
    expect(await people.refreshes(user)).toEqual(['ok'])
    expect(await stage.live(user)).toHaveLength(50)
    expect(client.credentials.access_token).not.toBe(user.accessToken)
  })

  test('a token without a date is used until Google answers 401', async () => {
    const user = await people.user()
    const service = stage.service()
    const auth = { access_token: user.accessToken, refresh_token: user.refreshToken }
    await service.createEvent(user.id, auth, EVENT)
    expect(await people.refreshes(user)).toEqual([])
    await stage.google.expireTokens({ email: user.email })
    await expect(service.createEvent(user.id, auth, EVENT)).resolves.toMatchObject({ verified: true })
    expect(await people.refreshes(user)).toEqual(['ok'])
  })

  test('services with stores of their own never share a token, though the user’s id be the same', async () => {
    const [one, two] = [await people.user(), await people.user()]
    const id = `7-${randomUUID()}`
    const places = { resolveCalendar: () => ({ calendarId: 'primary' }) }
    const of = (user) =>
      stage.service({ tokenStore: memoryStore({ [id]: { refresh_token: user.refreshToken } }), ...places })
    await of(one).createEvent(id, null, EVENT)
    await of(two).createEvent(id, null, EVENT)
    expect(await stage.live(one)).toHaveLength(1)
    expect(await stage.live(two)).toHaveLength(1)
  })

  test('a user who connected another Google account is not served with the old one’s token', async () => {
    const [one, two] = [await people.user({ expiresInSeconds: -1 }), await people.user()]
    const { store, service } = serviceFor(one)
    await service.createEvent(one.id, null, EVENT)
    store.tokens[one.id] = two.credentials
    await service.createEvent(one.id, null, EVENT)
    expect(await stage.live(two)).toHaveLength(1)
  })
})

describe('a call with an account that is not the user’s own', () => {
  test('writes to that account’s calendar, and leaves the user’s stored tokens alone', async () => {
    const school = await people.user({ expiresInSeconds: -1 })
    const teacher = await people.user()
    const { service, store } = serviceFor(teacher)
    await service.createEvent(teacher.id, clientOf(school), EVENT)
    expect(await stage.live(school)).toHaveLength(1)
    expect(await stage.live(teacher)).toEqual([])
    expect(store.tokens[teacher.id]).toBe(teacher.credentials)
    expect(await people.refreshes(school)).toEqual(['ok'])
  })
})

describe('service accounts', () => {
  const keyPair = () =>
    generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    })
  const { privateKey } = keyPair()
  const assertions = async () => {
    const all = await stage.google.tokenRequests()
    return all.filter(({ grantType }) => grantType.endsWith('jwt-bearer')).length
  }

  test('a JSON key with a subject acts for that user, with one assertion for all calls', async () => {
    const user = await people.user()
    const key = { type: 'service_account', client_email: `bot-${randomUUID()}@x.test`, private_key: privateKey }
    const service = stage.service()
    const before = await assertions()
    const auth = () => ({ ...key, subject: user.email, scopes: ['https://www.googleapis.com/auth/calendar'] })
    await Promise.all(Array.from({ length: 10 }, () => service.createEvent(user.id, auth(), EVENT)))
    expect((await assertions()) - before).toBe(1)
    expect(await stage.live(user)).toHaveLength(10)
    await stage.google.expireTokens({ email: user.email })
    await service.createEvent(user.id, auth(), EVENT)
    expect((await assertions()) - before).toBe(2)
  })

  test('who knows an account’s address and not its key does not get its token', async () => {
    const user = await people.user()
    const key = { type: 'service_account', client_email: user.email, private_key: privateKey }
    const service = stage.service()
    await service.createEvent(user.id, key, EVENT)
    const before = await assertions()
    await service.createEvent(user.id, { ...key, private_key: keyPair().privateKey }, EVENT)
    expect((await assertions()) - before).toBe(1) // The emulator checks no signature; Google does.
  })

  test.each(libraries.map((library, i) => [['10', '11', '9'][i], library]))(
    'a JWT of google-auth-library %s is asked for its token, and again after a 401',
    async (_version, { JWT }) => {
      const user = await people.user({ serviceAccount: true })
      const jwt = new JWT({ email: user.email, key: privateKey, scopes: ['https://www.googleapis.com/auth/calendar'] })
      // The library's own address of the token endpoint is fixed; its HTTP would need another fetch than Jest has.
      jwt.createGToken = () => {
        jwt.gtoken ??= {
          async getToken({ forceRefresh }) {
            if (forceRefresh || !this.token) {
              const { access_token: token } = (await stage.google.addUser({ email: user.email })).credentials
              Object.assign(this, { token, expiresAt: Date.now() + 60 * MINUTE })
            }
            return { access_token: this.token }
          },
        }
        return jwt.gtoken
      }
      const service = stage.service({ timeoutMs: 25000 })
      await service.createEvent(user.id, jwt, EVENT)
      const { access_token: first } = jwt.credentials
      await stage.google.expireTokens({ email: user.email })
      await Promise.all(Array.from({ length: 20 }, () => service.createEvent(user.id, jwt, EVENT)))
      expect(jwt.credentials.access_token).not.toBe(first)
      expect(await stage.live(user)).toHaveLength(21)
    },
  )
})

describe('freshness', () => {
  test.each([
    [1, ['ok']],
    [9, ['ok']],
    [11, []],
    [30, []],
  ])('an operation with %i minutes left makes the refreshes %j first', async (minutes, refreshes) => {
    const user = await people.user({ expiresInSeconds: minutes * 60 })
    const { service } = serviceFor(user)
    await expect(service.createEvent(user.id, null, EVENT)).resolves.toMatchObject({ verified: true })
    expect(await people.refreshes(user)).toEqual(refreshes)
  })

  test('getRefreshedOAuthClient: requireFresh wants minValidityMs, forceRefresh refreshes in any case', async () => {
    const user = await people.user({ expiresInSeconds: 7 * 60 })
    const { service, store } = serviceFor(user)
    await service.getRefreshedOAuthClient(user.id)
    expect(await people.refreshes(user)).toEqual([])
    const client = await service.getRefreshedOAuthClient(user.id, { requireFresh: true })
    expect(await people.refreshes(user)).toEqual(['ok'])
    expect(client).toBeInstanceOf(libraries[0].OAuth2Client)
    expect(client.credentials).toEqual(store.tokens[user.id])
    expect(client.credentials.expiry_date).toBeGreaterThan(Date.now() + 50 * MINUTE)
    const { access_token: before } = client.credentials
    const forced = await service.getRefreshedOAuthClient(user.id, { forceRefresh: true, throwOnFailure: true })
    expect(await people.refreshes(user)).toEqual(['ok', 'ok'])
    expect(forced.credentials.access_token).not.toBe(before)
  })

  test('the client it gives works in code that knows nothing of surecal, and as a call’s auth', async () => {
    const user = await people.user({ expiresInSeconds: -1 })
    const { service } = serviceFor(user)
    const client = await service.getRefreshedOAuthClient(user.id)
    await expect(client.getAccessToken()).resolves.toMatchObject({ token: client.credentials.access_token })
    await expect(service.createEvent(user.id, client, EVENT)).resolves.toMatchObject({ verified: true })
    expect(await people.refreshes(user)).toEqual(['ok'])
  })

  test('minValidityMs changes at run time', async () => {
    const user = await people.user({ expiresInSeconds: 20 * 60 })
    const { service } = serviceFor(user)
    service.configure({ tokens: { minValidityMs: 30 * MINUTE } })
    await service.createEvent(user.id, null, EVENT)
    expect(await people.refreshes(user)).toEqual(['ok'])
  })
})

describe('the store', () => {
  test('a rotated refresh token is saved, and reaches the OAuth2Client and its tokens event', async () => {
    const user = await people.user({ expiresInSeconds: -1 })
    await stage.faultFor(user, { operation: 'oauth.token', nth: 1, fault: { kind: 'rotate' } })
    const { service, store } = serviceFor(user)
    const client = clientOf(user)
    const events = []
    client.on('tokens', (tokens) => events.push(tokens))
    await service.createEvent(user.id, client, EVENT)
    const { refresh_token: rotated } = store.tokens[user.id]
    expect(rotated).not.toBe(user.refreshToken)
    expect(store.saves).toEqual([
      {
        access_token: client.credentials.access_token,
        refresh_token: rotated,
        expiry_date: expect.any(Number),
        token_type: 'Bearer',
      },
    ])
    expect(client.credentials.refresh_token).toBe(rotated)
    expect(events).toEqual([expect.objectContaining({ refresh_token: rotated })])
  })

  test('a save that fails harms no call, is logged, and is made again', async () => {
    const user = await people.user({ expiresInSeconds: -1 })
    const { store } = serviceFor(user)
    const { save } = store
    let failures = 1
    store.save = (...args) => (failures-- > 0 ? Promise.reject(new RangeError('down')) : save(...args))
    const warn = jest.fn()
    const service = stage.service({ tokenStore: store, logger: { warn } })
    await expect(service.createEvent(user.id, null, EVENT)).resolves.toMatchObject({ verified: true })
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('tokenStore.save failed'), { error: 'RangeError' })
    await until(() => store.saves.length === 1)
    expect(store.tokens[user.id].access_token).not.toBe(user.accessToken)
  })

  test('a store that is down is not read as “not connected”', async () => {
    const fault = new Error('the database is away')
    const service = stage.service({ tokenStore: { load: () => Promise.reject(fault) } })
    const since = await people.now()
    await expect(service.createEvent(randomUUID(), null, EVENT)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryable: true,
      requiresReauth: false,
      outcome: 'not-sent',
      cause: fault,
    })
    expect(await people.now()).toBe(since)
  })

  test('a store that never answers is given up inside the deadline', async () => {
    const service = stage.service({ tokenStore: { load: () => new Promise(() => {}) }, timeoutMs: 500 })
    const startedAt = ownNow()
    await expect(service.createEvent(randomUUID(), null, EVENT)).rejects.toMatchObject({ outcome: 'not-sent' })
    expect(ownNow() - startedAt).toBeLessThan(1500)
  })

  describe('of two processes', () => {
    const processes = []
    let directory
    beforeEach(() => {
      directory = fs.mkdtempSync(path.join(os.tmpdir(), 'surecal-tokens-'))
    })
    afterEach(() => {
      for (const { child } of processes.splice(0)) child.kill()
      fs.rmSync(directory, { recursive: true })
    })

    /** A process over the shared file; `ask(call)` gives its answer. */
    function start() {
      const setting = JSON.stringify({ config: stage.google.config, file: path.join(directory, 'tokens.json') })
      const child = spawn(process.execPath, [path.join(__dirname, 'fixtures', 'token_process.js'), setting], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      const lines = readline.createInterface({ input: child.stdout })
      processes.push({ child })
      return async (call) => {
        child.stdin.write(`${JSON.stringify(call)}\n`)
        const [line] = await once(lines, 'line')
        return JSON.parse(line)
      }
    }
    const share = (user) =>
      fs.writeFileSync(path.join(directory, 'tokens.json'), JSON.stringify({ [user.id]: user.credentials }))

    test('a token that one saved is used by the other without a refresh, also after a rotation', async () => {
      const user = await people.user({ expiresInSeconds: -1 })
      await stage.faultFor(user, { operation: 'oauth.token', nth: 1, fault: { kind: 'rotate' } })
      share(user)
      const [one, two] = [start(), start()]
      await expect(one({ user: user.id, calls: 3 })).resolves.toEqual({ ok: 3, errors: [] })
      await expect(two({ user: user.id, calls: 3 })).resolves.toEqual({ ok: 3, errors: [] })
      expect(await people.refreshes(user)).toEqual(['rotated'])
    })

    test('an auth object whose refresh token another process had rotated away is no logout', async () => {
      const user = await people.user({ expiresInSeconds: -1 })
      await stage.faultFor(user, { operation: 'oauth.token', nth: 1, fault: { kind: 'rotate' } })
      share(user)
      const [one, two] = [start(), start()]
      await expect(one({ user: user.id, calls: 1 })).resolves.toEqual({ ok: 1, errors: [] })
      await expect(two({ user: user.id, calls: 3, auth: user.credentials })).resolves.toEqual({ ok: 3, errors: [] })
      expect(await people.refreshes(user)).toEqual(['rotated', 'invalid_grant'])
    })

    test('both at once do not log each other out', async () => {
      const user = await people.user({ expiresInSeconds: -1 })
      share(user)
      const asks = [start(), start()]
      const answers = await Promise.all(asks.map((ask) => ask({ user: user.id, calls: 20 })))
      expect(answers).toEqual([
        { ok: 20, errors: [] },
        { ok: 20, errors: [] },
      ])
      expect((await people.refreshes(user)).length).toBeLessThanOrEqual(2)
      await stage.google.expireTokens({ email: user.email })
      await expect(asks[0]({ user: user.id, calls: 1 })).resolves.toMatchObject({ ok: 1 })
      await expect(asks[1]({ user: user.id, calls: 1 })).resolves.toMatchObject({ ok: 1 })
    })
  })
})

describe('kinds of failure', () => {
  test('a revoked grant: no calendar call, remembered, and a new one in the store works at once', async () => {
    const user = await people.user({ expiresInSeconds: -1 })
    const { service, store } = serviceFor(user)
    await stage.google.revokeTokens({ refreshToken: user.refreshToken })
    const since = await people.now()
    for (let i = 0; i < 3; i += 1) {
      await expect(service.createEvent(user.id, null, EVENT)).rejects.toMatchObject({
        code: 'GOOGLE_AUTH_REQUIRED',
        requiresReauth: true,
        retryable: false,
        reason: 'invalid_grant',
        outcome: 'not-sent',
        operation: 'createEvent',
      })
    }
    expect(await people.calendarCalls(since)).toEqual([])
    expect(await people.refreshes(user)).toEqual(['invalid_grant'])

    // Reconnected: whether the app brings the new grant or has stored it.
    const again = await people.user()
    const brought = { refresh_token: again.refreshToken }
    await expect(service.createEvent(user.id, brought, EVENT)).resolves.toMatchObject({ verified: true })
    store.tokens[user.id] = brought
    await expect(service.createEvent(user.id, null, EVENT)).resolves.toMatchObject({ verified: true })
  })

  test('a grant that dies in mid-operation is told as such', async () => {
    const user = await people.user()
    const { service } = serviceFor(user)
    await stage.google.revokeTokens({ email: user.email })
    await expect(service.createEvent(user.id, null, EVENT)).rejects.toMatchObject({
      code: 'GOOGLE_AUTH_REQUIRED',
      requiresReauth: true,
      reason: 'invalid_grant',
    })
    expect(await stage.live(user)).toEqual([])
  })

  test('a user without a refresh token: null, or GOOGLE_AUTH_REQUIRED without a reason', async () => {
    const user = await people.user()
    const store = memoryStore({ half: { access_token: user.accessToken, expiry_date: user.expiryDate } })
    const service = stage.service({ tokenStore: store })
    for (const id of ['nobody', 'half']) {
      await expect(service.getRefreshedOAuthClient(id)).resolves.toBeNull()
      await expect(service.getRefreshedOAuthClient(id, { throwOnFailure: true })).rejects.toMatchObject({
        code: 'GOOGLE_AUTH_REQUIRED',
        reason: null,
      })
    }
  })

  test('a wrong client secret is a fault of the configuration, not of the user', async () => {
    const user = await people.user({ expiresInSeconds: -1 })
    const { service } = serviceFor(user, { clientSecret: 'wrong' })
    await expect(service.createEvent(user.id, null, EVENT)).rejects.toMatchObject({
      code: 'CONFIGURATION',
      requiresReauth: false,
      outcome: 'not-sent',
      reason: 'invalid_client',
    })
  })

  test.each([
    ['down', { kind: 'reset' }],
    ['silent', { kind: 'hang' }],
    ['slow', { kind: 'drip', everyMs: 400, chunkBytes: 1 }],
    ['cut', { kind: 'truncate' }],
    ['not JSON', { kind: 'html' }],
    ['a redirect', { kind: 'redirect', location: 'https://example.com/' }],
    ['overloaded', { kind: 'status', status: 503 }],
    ['overloaded, in the words of a dead grant', { kind: 'status', status: 503, reason: 'invalid_grant' }],
    ['rate limited for long', { kind: 'status', status: 429, retryAfterSeconds: 60 }],
  ])('a token endpoint that is %s: typed, retryable, in time, and no dead grant', async (_how, fault) => {
    const user = await people.user({ expiresInSeconds: -1 })
    const { service } = serviceFor(user, { timeoutMs: 500 })
    await stage.faultFor(user, { operation: 'oauth.token', fault })
    const since = await people.now()
    const startedAt = ownNow()
    const error = await service.createEvent(user.id, null, EVENT).catch((thrown) => thrown)
    expect(ownNow() - startedAt).toBeLessThan(2000)
    expect(error).toMatchObject({
      code: 'GOOGLE_AUTH_FAILED',
      retryable: true,
      requiresReauth: false,
      outcome: 'not-sent',
    })
    expect(await people.calendarCalls(since)).toEqual([])
    await stage.google.clearFaults()
    await stage.google.resetConnections()
    await expect(service.createEvent(user.id, null, EVENT, { timeoutMs: 20000 })).resolves.toMatchObject({
      verified: true,
    })
  })

  test('a short trouble of the token endpoint is waited out, Retry-After and all', async () => {
    const user = await people.user({ expiresInSeconds: -1 })
    const { service } = serviceFor(user)
    const fault = { kind: 'status', status: 429, retryAfterSeconds: 1 }
    await stage.faultFor(user, { operation: 'oauth.token', nth: 1, fault })
    const startedAt = performance.now()
    await expect(service.createEvent(user.id, null, EVENT)).resolves.toMatchObject({ verified: true })
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990)
  })

  test('an abort ends the wait for a token', async () => {
    const user = await people.user({ expiresInSeconds: -1 })
    const { service } = serviceFor(user)
    await stage.faultFor(user, { operation: 'oauth.token', fault: { kind: 'hang' } })
    const startedAt = ownNow()
    const call = service.createEvent(user.id, null, EVENT, { signal: AbortSignal.timeout(100) })
    await expect(call).rejects.toMatchObject({ code: 'ABORTED' })
    expect(ownNow() - startedAt).toBeLessThan(1000)
  })
})

describe('without a token store', () => {
  test('null is refused, and getRefreshedOAuthClient gives null', async () => {
    const service = stage.service()
    await expect(service.createEvent('user', null, EVENT)).rejects.toMatchObject({ code: 'GOOGLE_AUTH_REQUIRED' })
    await expect(service.getRefreshedOAuthClient('user')).resolves.toBeNull()
  })

  test('an option that nobody knows is refused by name, whatever throwOnFailure says', async () => {
    const user = await people.user()
    const { service } = serviceFor(user)
    await expect(service.getRefreshedOAuthClient(user.id, { forceRefesh: true })).rejects.toThrow('forceRefesh')
    await expect(service.getRefreshedOAuthClient(user.id, { throwOnFailure: 'no' })).rejects.toThrow('throwOnFailure')
  })
})

test('without google-auth-library, the client is plain credentials', async () => {
  const user = await people.user({ expiresInSeconds: -1 })
  const script = `
    const Module = require('node:module')
    const resolve = Module._resolveFilename
    Module._resolveFilename = function (name, ...more) {
      if (/^google(-auth-library|apis)$/.test(name)) throw Object.assign(new Error('gone'), { code: 'MODULE_NOT_FOUND' })
      return resolve.call(this, name, ...more)
    }
    const { CalendarService } = require('./index.js')
    const { config, user } = JSON.parse(process.env.TEST_SETTING)
    const service = new CalendarService({ ...config, tokenStore: { load: () => user.credentials } })
    service.getRefreshedOAuthClient(user.id, { throwOnFailure: true }).then(async (auth) => {
      const event = { summary: 'x', start: { date: '2027-03-01' }, end: { date: '2027-03-02' } }
      const { verified } = await service.createEvent(user.id, auth, event)
      console.log(JSON.stringify({ keys: Object.keys(auth).sort(), kind: auth.constructor.name, verified }))
    })`
  const child = spawn(process.execPath, ['--eval', script], {
    cwd: path.join(__dirname, '..'),
    env: { ...process.env, TEST_SETTING: JSON.stringify({ config: stage.google.config, user }) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const pieces = []
  for await (const piece of child.stdout) pieces.push(piece)
  expect(JSON.parse(Buffer.concat(pieces).toString())).toEqual({
    keys: ['access_token', 'expiry_date', 'refresh_token', 'token_type'],
    kind: 'Object',
    verified: true,
  })
})
