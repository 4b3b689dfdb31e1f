'use strict'

// What an `auth` may be, and what crosses to the native part. Over a fake binding; tokens.test.js has the real one.

const { inspect } = require('node:util')
const { loadOverFake } = require('./fakes/load')

const IN_AN_HOUR = Date.now() + 3600000
const VERSIONS = [
  ['11', require('google-auth-library-11')],
  ['10', require('google-auth-library')],
  ['9', require('google-auth-library-9')],
]

let surecal, fake
beforeEach(() => {
  ;({ surecal, fake } = loadOverFake())
})

const serviceWith = (config) => new surecal.CalendarService(config)
const authOf = async (auth, config) => {
  await serviceWith(config).getEvent('user', auth, 'event1')
  return fake.calls.at(-1).args.auth
}
const tokenOf = async (auth, config) => (await authOf(auth, config)).accessToken
/** What the native part gets for a question. */
const answerOf = async (question) => JSON.parse(await fake.services.at(-1).ask(JSON.stringify(question)))

describe('tokens at hand', () => {
  test.each([
    ['a token', 'token'],
    ['plain credentials', { access_token: 'token', refresh_token: 'r' }],
    ['a client with credentials', { credentials: { access_token: 'token' }, getAccessToken: () => 'other' }],
    ['a client that gets its token', { credentials: {}, getAccessToken: async () => ({ token: 'token' }) }],
    ['getAccessToken to a string', { getAccessToken: () => 'token' }],
    ['getRequestHeaders to Headers', { getRequestHeaders: async () => new Headers({ Authorization: 'Bearer token' }) }],
    ['getRequestHeaders to an object', { getRequestHeaders: () => ({ Authorization: 'Bearer token' }) }],
  ])('%s is read', async (_name, auth) => {
    await expect(tokenOf(auth)).resolves.toBe('token')
  })

  test('plain credentials cross with their refresh token and date, whatever kind of date', async () => {
    for (const date of [IN_AN_HOUR, new Date(IN_AN_HOUR), new Date(IN_AN_HOUR).toISOString(), String(IN_AN_HOUR)]) {
      const auth = { access_token: 'a', refresh_token: 'r', expiry_date: date, scope: 'kept at home' }
      await expect(authOf(auth)).resolves.toEqual({ accessToken: 'a', refreshToken: 'r', expiryDate: IN_AN_HOUR })
    }
    await expect(authOf({ refresh_token: 'r', expiry_date: null })).resolves.toEqual({ refreshToken: 'r' })
  })

  test('they are read when the call is made, whatever becomes of the object meanwhile', async () => {
    const auth = { access_token: 'first', refresh_token: 'r' }
    const call = serviceWith({ resolveCalendar: async () => ({ calendarId: 'c' }) }).getEvent('user', auth, 'event1')
    auth.access_token = 'second'
    await call
    expect(fake.calls.at(-1).args.auth.accessToken).toBe('first')
  })

  test.each([
    ['null without a store', null],
    ['credentials with nothing in them', {}],
    ['an empty token', ''],
    ['a client without a token', { getAccessToken: async () => ({ token: null }) }],
  ])('%s is GOOGLE_AUTH_REQUIRED and nothing is sent', async (_name, auth) => {
    await expect(tokenOf(auth)).rejects.toMatchObject({
      code: 'GOOGLE_AUTH_REQUIRED',
      outcome: 'not-sent',
      requiresReauth: true,
    })
    expect(fake.calls).toEqual([])
  })

  const secretive = {
    get access_token() {
      throw new Error('ya29.secret')
    },
  }
  test.each([
    ['a token that injects a header', 'ya29.secret\r\nX-Injected: 1'],
    ['a token with a space', 'ya29.secret b'],
    ['a token beyond ASCII', 'ya29.secret-tökén'],
    ['a token that is a number', { access_token: 7 }],
    ['a refresh token that is an object', { refresh_token: { secret: 'ya29.secret' } }],
    ['a date that is none', { access_token: 'a', expiry_date: 'ya29.secret' }],
    ['a getter that throws', secretive],
    ['a number', 7],
    ['a key without its private part', { type: 'service_account', client_email: 'ya29.secret' }],
    ['a key with scopes of a wrong kind', { type: 'service_account', client_email: 'e', private_key: 'p', scopes: 7 }],
  ])('%s is refused by its field, and not repeated', async (_name, auth) => {
    const error = await tokenOf(auth).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'VALIDATION_FAILED', field: expect.stringMatching(/^auth/) })
    expect(inspect(error, { showHidden: true, depth: 9 })).not.toContain('ya29.secret')
    expect(fake.calls).toEqual([])
  })

  test('a service account’s JSON key crosses whole, for the assertion is signed natively', async () => {
    const key = { type: 'service_account', client_email: 'bot@x.test', private_key: 'PEM', private_key_id: 'k1' }
    await expect(authOf({ ...key, project_id: 'p', subject: 'teacher@x.test', scopes: 'one two' })).resolves.toEqual({
      serviceAccount: {
        clientEmail: 'bot@x.test',
        privateKey: 'PEM',
        privateKeyId: 'k1',
        subject: 'teacher@x.test',
        scopes: ['one', 'two'],
      },
    })
  })
})

describe.each(VERSIONS)('google-auth-library %s', (_version, { OAuth2Client, JWT, GoogleAuth, UserRefreshClient }) => {
  const own = { clientId: 'app', clientSecret: 'app-secret' }
  const clientWith = (credentials, options = own) => {
    const client = new OAuth2Client(options)
    client.setCredentials(credentials)
    return client
  }

  test('an OAuth2Client crosses with its credentials and a number to be written back under', async () => {
    const client = clientWith({ access_token: 'a', refresh_token: 'r', expiry_date: IN_AN_HOUR })
    const auth = await authOf(client, own)
    expect(auth).toEqual({ accessToken: 'a', refreshToken: 'r', expiryDate: IN_AN_HOUR, authRef: expect.any(Number) })
  })

  test('an OAuth2Client of another app brings its own id and secret; one without uses the service’s', async () => {
    const other = { clientId: 'other', clientSecret: 'other-secret' }
    const credentials = { refresh_token: 'r' }
    await expect(authOf(clientWith(credentials, other), own)).resolves.toMatchObject({
      client: { id: 'other', secret: 'other-secret' },
    })
    await expect(authOf(clientWith(credentials, {}), own)).resolves.not.toHaveProperty('client')
    await expect(authOf(new UserRefreshClient('u', 'us', 'r'), own)).resolves.toMatchObject({
      refreshToken: 'r',
      client: { id: 'u', secret: 'us' },
    })
  })

  test('an OAuth2Client with a refreshHandler of the app’s own is asked', async () => {
    const client = new OAuth2Client({})
    client.refreshHandler = async () => ({ access_token: 'by-hand', expiry_date: IN_AN_HOUR })
    await expect(authOf(client)).resolves.toEqual({
      accessToken: 'by-hand',
      asks: true,
      authRef: expect.any(Number),
    })
  })

  test('the placeholder of a JWT never crosses as a refresh token', async () => {
    const jwt = new JWT({ email: 'bot@x.test', key: 'PEM', scopes: ['calendar'] })
    jwt.getAccessToken = async () => ({ token: 'of-the-jwt' })
    expect(jwt.credentials.refresh_token).toBe('jwt-placeholder')
    await expect(authOf(jwt)).resolves.toEqual({ accessToken: 'of-the-jwt', asks: true, authRef: expect.any(Number) })
    await expect(authOf({ access_token: 'a', refresh_token: 'jwt-placeholder' })).resolves.toEqual({ accessToken: 'a' })
  })

  test('a GoogleAuth is asked for the token of its client', async () => {
    const auth = new GoogleAuth({ authClient: clientWith({ access_token: 'inner', expiry_date: IN_AN_HOUR }) })
    await expect(tokenOf(auth)).resolves.toBe('inner')
  })

  describe('write-back', () => {
    const fresh = { access_token: 'new', refresh_token: 'r', expiry_date: IN_AN_HOUR, token_type: 'Bearer' }
    const held = { access_token: 'old', refresh_token: 'r', expiry_date: 1, scope: 'calendar', id_token: 'i' }

    /** A call during which the native part refreshes. */
    const refreshed = async (client, tokens = fresh, meanwhile = () => {}) => {
      fake.answers.getEvent = ({ args }) => {
        fake.fresh.set(args.auth.authRef, tokens)
        meanwhile(args.auth.authRef)
        return { success: true }
      }
      await serviceWith(own).getEvent('user', client, 'event1')
    }
    const heard = (client) => {
      const tokens = []
      client.on('tokens', (news) => tokens.push(news))
      return tokens
    }

    test('new tokens are in the client when the call is answered, beside what it held', async () => {
      const client = clientWith(held)
      const events = heard(client)
      await refreshed(client)
      expect(client.credentials).toEqual({ ...held, ...fresh })
      expect(events).toEqual([{ access_token: 'new', expiry_date: IN_AN_HOUR, token_type: 'Bearer' }])
      await expect(client.getAccessToken()).resolves.toMatchObject({ token: 'new' })
    })

    test('a rotated refresh token is in the client and in the event', async () => {
      const client = clientWith(held)
      const events = heard(client)
      await refreshed(client, { ...fresh, refresh_token: 'rotated' })
      expect(client.credentials.refresh_token).toBe('rotated')
      expect(events).toEqual([expect.objectContaining({ refresh_token: 'rotated' })])
    })

    test('a date that is not known does not leave the old one beside the new token', async () => {
      const client = clientWith(held)
      await refreshed(client, { ...fresh, expiry_date: null })
      expect(client.credentials.expiry_date).toBeUndefined()
    })

    test('a notice is enough, and the same tokens are told once', async () => {
      const client = clientWith(held)
      const events = heard(client)
      await refreshed(client, fresh, (authRef) => {
        const service = fake.services.at(-1)
        service.notify(JSON.stringify({ type: 'tokens', authRef }))
        expect(client.credentials.access_token).toBe('new')
        fake.fresh.set(authRef, fresh) // Another call of the same client met it too.
      })
      expect(events).toHaveLength(1)
    })

    test('a client that was given another user’s credentials meanwhile keeps those', async () => {
      const client = clientWith(held)
      const events = heard(client)
      const other = { access_token: 'of-another-user', refresh_token: 'r2' }
      await refreshed(client, fresh, () => client.setCredentials(other))
      expect(client.credentials).toEqual(other)
      expect(events).toEqual([])
    })

    test('tokens of the first user do not reach the client under the second user’s call', async () => {
      const client = clientWith(held)
      const service = serviceWith(own)
      const refs = []
      fake.answers.getEvent = ({ args }) => {
        refs.push(args.auth.authRef)
        return { success: true }
      }
      await service.getEvent('one', client, 'event1')
      client.setCredentials({ access_token: 'second', refresh_token: 'r2' })
      await service.getEvent('two', client, 'event1')
      fake.fresh.set(refs[0], fresh)
      fake.services.at(-1).notify(JSON.stringify({ type: 'tokens', authRef: refs[0] }))
      expect(client.credentials.access_token).toBe('second')
      expect(refs[0]).not.toBe(refs[1])
    })

    test('a failing call gives its tokens back as well', async () => {
      const client = clientWith(held)
      fake.answers.getEvent = ({ args }) => {
        fake.fresh.set(args.auth.authRef, fresh)
        throw new Error('{}')
      }
      await expect(serviceWith(own).getEvent('user', client, 'event1')).rejects.toThrow()
      expect(client.credentials.access_token).toBe('new')
    })

    test('a listener or a setCredentials that throws harms nobody, and its words are not logged', async () => {
      const warn = jest.fn()
      const client = clientWith(held)
      client.on('tokens', () => {
        throw new Error('ya29.secret')
      })
      fake.answers.getEvent = ({ args }) => {
        fake.fresh.set(args.auth.authRef, fresh)
        return { success: true }
      }
      const service = serviceWith({ ...own, logger: { warn } })
      await expect(service.getEvent('user', client, 'event1')).resolves.toMatchObject({ success: true })
      expect(warn).toHaveBeenCalledTimes(1)
      expect(inspect(warn.mock.calls)).not.toContain('ya29.secret')
    })
  })
})

describe('what the native part asks', () => {
  test('a user’s stored tokens: null crosses, and the store keeps its this', async () => {
    const tokenStore = {
      tokens: { user: { access_token: 'stored', refresh_token: 'r', expiry_date: new Date(5), other: 'field' } },
      async load(userId) {
        return this.tokens[userId]
      },
    }
    await expect(authOf(null, { tokenStore })).resolves.toBeNull()
    await expect(answerOf({ type: 'loadTokens', userId: 'user' })).resolves.toEqual({
      access_token: 'stored',
      refresh_token: 'r',
      expiry_date: 5,
    })
    await expect(answerOf({ type: 'loadTokens', userId: 'nobody' })).resolves.toBeNull()
  })

  test('a thenable and a lone token are taken for what they are', async () => {
    const query = { then: (resolve) => resolve('stored') } // A Mongoose Query is one.
    await authOf(null, { tokenStore: { load: () => query } })
    await expect(answerOf({ type: 'loadTokens', userId: 'user' })).resolves.toEqual({ access_token: 'stored' })
  })

  test('a store that fails is logged by its error’s name, and told with its error as the cause', async () => {
    const warn = jest.fn()
    const fault = new TypeError('secret of the store')
    const service = serviceWith({ tokenStore: { load: () => Promise.reject(fault) }, logger: { warn } })
    const { nativeError } = require('./fakes/native')
    fake.answers.getEvent = async () => {
      await fake.services
        .at(-1)
        .ask(JSON.stringify({ type: 'loadTokens', userId: 'user' }))
        .catch(() => {})
      throw nativeError({ code: 'STORE_UNAVAILABLE', retryable: true })
    }
    await expect(service.getEvent('user', null, 'event1')).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      operation: 'getEvent',
      cause: fault,
    })
    expect(warn.mock.calls).toEqual([['tokenStore.load failed', { error: 'TypeError' }]])
  })

  test('new tokens are saved; a store without save, or none, is well', async () => {
    const save = jest.fn()
    const tokens = { access_token: 'a', refresh_token: 'r', expiry_date: 5, token_type: 'Bearer' }
    await authOf(null, { tokenStore: { load: () => null, save } })
    await expect(answerOf({ type: 'saveTokens', userId: 'user', tokens })).resolves.toBeNull()
    expect(save).toHaveBeenCalledWith('user', tokens)
    await authOf(null, { tokenStore: { load: () => null } })
    await expect(answerOf({ type: 'saveTokens', userId: 'user', tokens })).resolves.toBeNull()
  })

  /** A client that counts how often it renewed, as google-auth-library's go by their date. */
  class SelfRenewing {
    renewals = 0
    credentials = { access_token: 'token0', expiry_date: IN_AN_HOUR }
    setCredentials(credentials) {
      this.credentials = credentials
    }
    async getAccessToken() {
      if (this.credentials.expiry_date < Date.now()) {
        this.renewals += 1
        this.credentials = { access_token: `token${this.renewals}`, expiry_date: IN_AN_HOUR }
      }
      return { token: this.credentials.access_token }
    }
  }

  test('a refused token of a self-renewing client is renewed once for all who met the 401', async () => {
    const client = new SelfRenewing()
    const { authRef, accessToken } = await authOf(client)
    expect(accessToken).toBe('token0')
    const question = { type: 'accessToken', authRef, refused: true }
    const answers = await Promise.all(Array.from({ length: 50 }, () => answerOf(question)))
    answers.push(await answerOf(question)) // One that comes a little later.
    expect(new Set(answers.map((answer) => answer.access_token))).toEqual(new Set(['token1']))
    expect(client.renewals).toBe(1)
  })

  test('a client that renewed itself already is not made to do it again', async () => {
    const client = new SelfRenewing()
    const { authRef } = await authOf(client)
    client.setCredentials({ ...client.credentials, access_token: 'newer' })
    await expect(answerOf({ type: 'accessToken', authRef, refused: true })).resolves.toEqual({ access_token: 'newer' })
    expect(client.renewals).toBe(0)
  })

  test('a client that is not known is an exception, not an answer', async () => {
    await authOf('token')
    await expect(answerOf({ type: 'accessToken', authRef: 999999, refused: false })).rejects.toThrow()
    await expect(answerOf({ type: 'else' })).rejects.toThrow()
  })
})

test('a client that fails is told without its error, which holds the refresh token', async () => {
  const failing = (data) => ({
    getAccessToken: () => Promise.reject(Object.assign(new Error('r-secret'), { response: { data } })),
  })
  const error = await tokenOf(failing({})).catch((thrown) => thrown)
  expect(error).toMatchObject({ code: 'GOOGLE_AUTH_FAILED', retryable: true, outcome: 'not-sent' })
  expect(error.cause).toBeUndefined()
  expect(inspect(error, { showHidden: true, depth: 5 })).not.toContain('r-secret')
  await expect(tokenOf(failing({ error: 'invalid_grant' }))).rejects.toMatchObject({
    code: 'GOOGLE_AUTH_REQUIRED',
    requiresReauth: true,
    response: { data: { error: 'invalid_grant' } },
  })
})
