'use strict'

// The network as companies have it: TLS with an authority of their own, and a proxy on the way out.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { inspect } = require('node:util')
const { startConnectProxy } = require('./support/connect_proxy')
const { runProgram } = require('./support/process')
const { thrownBy } = require('./support/refusals')
const { setStage } = require('./support/stage')
const { startRedis } = require('./support/redis_server')
const { CalendarError, CalendarService } = require('../index.js')
const { ownNow } = require('./support/own_now')

const stage = setStage({ tls: true })
const lesson = { summary: 'Algebra', start: { date: '2027-03-01' }, end: { date: '2027-03-02' } }
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'surecal-network-'))
afterAll(() => fs.rmSync(directory, { recursive: true }))

/** Runs `test` with changes to the environment, as a service reads it when it is made. */
function withEnvironment(changes, test) {
  const before = Object.fromEntries(Object.keys(changes).map((name) => [name, process.env[name]]))
  Object.assign(process.env, changes)
  try {
    return test()
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}

const fileOf = (name, text) => {
  const file = path.join(directory, name)
  fs.writeFileSync(file, text)
  return file
}

/** A key and a certificate that nobody has signed, for this machine's address. */
function selfSigned(name) {
  const [key, cert] = ['key', 'crt'].map((ending) => path.join(directory, `${name}.${ending}`))
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-keyout', key]
  const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1']
  const args = ['req', '-x509', ...made, '-out', cert, ...names, '-addext', 'basicConstraints=critical,CA:FALSE']
  execFileSync('openssl', args, { stdio: 'pipe' })
  return { key, cert }
}

// ---- TLS

test('an authority of one’s own is trusted when it is named, and HTTP/2 is agreed on by ALPN on one connection', async () => {
  const ada = await stage.user()
  const service = stage.service()
  const made = await Promise.all(
    Array.from({ length: 12 }, (_, at) => service.createEvent('ada', ada.credentials, { ...lesson, summary: `${at}` })),
  )
  expect(made.every(({ verified }) => verified)).toBe(true)
  expect(await stage.live(ada)).toHaveLength(12)
  const requests = await stage.requestsOf(ada)
  expect(new Set(requests.map(({ httpVersion }) => httpVersion))).toEqual(new Set(['2']))
  expect(new Set(requests.map(({ connection }) => connection)).size).toBe(1)
})

test.each([
  ['a Buffer', (pem) => Buffer.from(pem)],
  ['a list', (pem) => [Buffer.from(pem)]],
])('ca may be %s', async (_, made) => {
  const ada = await stage.user()
  const service = stage.service({ ca: made(stage.google.ca) })
  expect(await service.createEvent('ada', ada.credentials, lesson)).toMatchObject({ success: true, verified: true })
})

test('NODE_EXTRA_CA_CERTS names a file of authorities', async () => {
  const ada = await stage.user()
  const service = withEnvironment({ NODE_EXTRA_CA_CERTS: fileOf('ca.pem', stage.google.ca) }, () =>
    stage.service({ ca: undefined }),
  )
  expect(await service.createEvent('ada', ada.credentials, lesson)).toMatchObject({ success: true })
})

test('a certificate that is not trusted is told at once, with what to do, and nothing is sent', async () => {
  const ada = await stage.user()
  const service = stage.service({ ca: undefined })
  const begun = ownNow()
  const error = await service.createEvent('ada', ada.credentials, lesson).catch((thrown) => thrown)
  expect(CalendarError.is(error)).toBe(true)
  expect(error).toMatchObject({
    code: 'NETWORK_ERROR',
    outcome: 'not-sent',
    retryable: false,
    reason: 'untrusted',
    attempts: 1,
  })
  expect(error.message).toMatch(/NODE_EXTRA_CA_CERTS/)
  expect(ownNow() - begun).toBeLessThan(5000)
  expect(service.metrics().google.faults).toEqual({ untrusted: 1 })
  expect(await stage.requestsOf(ada)).toEqual([])
  expect(await service.pending()).toEqual([])
})

test('a token endpoint that is not trusted is told the same way, and is no dead grant', async () => {
  const ada = await stage.user()
  const service = stage.service({ ca: undefined })
  const auth = { ...ada.credentials, expiry_date: 1 }
  const error = await service.createEvent('ada', auth, lesson).catch((thrown) => thrown)
  expect(error).toMatchObject({ code: 'NETWORK_ERROR', outcome: 'not-sent', retryable: false, reason: 'untrusted' })
  expect(error.requiresReauth).toBe(false)
})

test('on a system without any authorities the service starts with the built-in list, and still checks', async () => {
  const bare = { ...stage.google.config, ca: undefined }
  const ada = await stage.user()
  const program = `
    process.env.SSL_CERT_FILE = '/nonexistent'; process.env.SSL_CERT_DIR = '/nonexistent'
    const { lesson, credentials, ca, bare } = config
    const told = async (more) => {
      const service = new surecal.CalendarService({ ...bare, ...more })
      const told = await service.createEvent('ada', credentials, lesson).then((made) => made.verified, (error) => error.reason)
      await service.close()
      return told
    }
    told({}).then(async (without) => console.log(JSON.stringify([without, await told({ ca })])))`
  const config = { lesson, credentials: ada.credentials, ca: stage.google.ca, bare }
  const { stdout, stderr } = await runProgram(program, { config })
  expect([stderr, JSON.parse(stdout)]).toEqual(['', ['untrusted', true]])
})

// ---- wrong settings

const WRONG = [
  [{ ca: '/etc/ssl/company.pem' }, 'ca'],
  [{ ca: 7 }, 'ca'],
  [{ ca: [''] }, 'ca'],
  [{ ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }, 'ca'],
  [{ proxy: 'socks5://canary:canary@proxy:1080' }, 'proxy'],
  [{ proxy: 'http://canary@:x' }, 'proxy'],
  [{ proxy: true }, 'proxy'],
  [{ proxy: {} }, 'proxy.url'],
  [{ proxy: { url: 'http://p:1', no_proxy: '' } }, 'no_proxy'],
  [{ userAgent: 'a\r\nX-Canary: 1' }, 'userAgent'],
  [{ userAgent: '' }, 'userAgent'],
  [{ quotaUser: 'x'.repeat(41) }, 'quotaUser'],
  [{ quotaUser: 7 }, 'quotaUser'],
]

test.each(WRONG)('the configuration %j is refused by its name, without its value', (wrong, key) => {
  const error = thrownBy(() => new CalendarService(wrong))
  expect([error?.code, error?.outcome]).toEqual(['CONFIGURATION', 'not-sent'])
  expect(error.message).toContain(key)
  expect(inspect(error)).not.toContain('canary')
})

test('a wrong environment is refused at once, by the variable’s name', () => {
  const none = path.join(directory, 'canary.pem')
  for (const [name, value] of [
    ['NODE_EXTRA_CA_CERTS', none],
    ['NODE_EXTRA_CA_CERTS', fileOf('empty.pem', '')],
    ['HTTPS_PROXY', 'ftp://canary:canary@proxy'],
  ]) {
    const error = thrownBy(() => withEnvironment({ [name]: value }, () => new CalendarService({})))
    expect([name, error?.code]).toEqual([name, 'CONFIGURATION'])
    expect(error.message).toContain(name)
    expect(inspect(error)).not.toContain('canary')
  }
})

test('proxy, ca, userAgent and quotaUser stay as they are while the service runs', () => {
  const service = stage.service()
  for (const change of [{ proxy: false }, { ca: stage.google.ca }, { userAgent: 'x' }, { quotaUser: true }]) {
    expect(thrownBy(() => service.configure(change))).toMatchObject({ code: 'CONFIGURATION' })
  }
})

// ---- the proxy

describe('a proxy', () => {
  const proxies = []
  const proxy = async (options) => {
    const made = await startConnectProxy(options)
    proxies.push(made)
    return made
  }
  afterAll(() => Promise.all(proxies.map((each) => each.close())))

  test('carries everything through one tunnel, end to end encrypted, with its password', async () => {
    const ada = await stage.user()
    const through = await proxy({ login: 'app:s3cret word' })
    const url = `http://app:${encodeURIComponent('s3cret word')}@${through.host}`
    const service = stage.service({ proxy: { url, loopback: true } })
    const auth = { ...ada.credentials, expiry_date: 1 } // the token endpoint is reached through it, too
    await service.createEvent('ada', auth, lesson)
    await service.createEvent('ada', auth, { ...lesson, summary: 'Geometry' })
    const target = new URL(stage.google.url).host
    expect(through.tunnels).toEqual([target, target])
    expect(await stage.live(ada)).toHaveLength(2)
    const requests = await stage.requestsOf(ada)
    expect(requests.every(({ httpVersion }) => httpVersion === '2')).toBe(true)
  })

  test('that refuses the password is told at once, and the password is in no message', async () => {
    const ada = await stage.user()
    const through = await proxy({ login: 'app:right' })
    const service = stage.service({ proxy: { url: `http://app:canary@${through.host}`, loopback: true } })
    const error = await service.createEvent('ada', ada.credentials, lesson).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'NETWORK_ERROR', outcome: 'not-sent', retryable: false, reason: 'proxyAuth' })
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('canary')
    expect(JSON.stringify(service.metrics())).not.toContain('canary')
    expect(inspect(service, { depth: 9, showHidden: true })).not.toContain('canary')
    expect(through.tunnels).toEqual([])
  })

  describe('that is itself reached by TLS', () => {
    let through, certificate, address
    beforeAll(async () => {
      const { key, cert } = selfSigned('proxy')
      certificate = { key: fs.readFileSync(key, 'utf8'), cert: fs.readFileSync(cert, 'utf8') }
      through = await proxy({ login: 'app:canary', certificate })
      address = { url: `https://app:canary@${through.host}`, loopback: true }
    })
    beforeEach(() => through.tunnels.splice(0))

    test('is trusted by its authority, and the tunnel carries HTTP/2 all the same', async () => {
      const ada = await stage.user()
      const service = stage.service({ proxy: address, ca: [stage.google.ca, certificate.cert] })
      expect(await service.createEvent('ada', ada.credentials, lesson)).toMatchObject({ verified: true })
      expect(through.tunnels).toEqual([new URL(stage.google.url).host])
      const requests = await stage.requestsOf(ada)
      expect(new Set(requests.map(({ httpVersion }) => httpVersion))).toEqual(new Set(['2']))
    })

    test('is not told the password, nor anything else, while it is not trusted', async () => {
      const ada = await stage.user()
      const service = stage.service({ proxy: address })
      const error = await service.createEvent('ada', ada.credentials, lesson).catch((thrown) => thrown)
      expect(error).toMatchObject({ code: 'NETWORK_ERROR', outcome: 'not-sent', retryable: false, reason: 'untrusted' })
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('canary')
      expect(through.tunnels).toEqual([])
      expect(await stage.requestsOf(ada)).toEqual([])
    })
  })

  test('that is gone is trouble that may pass', async () => {
    const ada = await stage.user()
    const through = await startConnectProxy()
    await through.close()
    const service = stage.service({ proxy: { url: `http://${through.host}`, loopback: true }, timeoutMs: 500 })
    const error = await service.createEvent('ada', ada.credentials, lesson).catch((thrown) => thrown)
    expect(error).toMatchObject({ outcome: 'not-sent', retryable: true })
  })

  test.each([
    ['the environment names it, for this machine', (host) => [{ HTTPS_PROXY: `http://${host}` }, {}]],
    ['the option names it, for this machine', (host) => [{}, { proxy: `http://${host}` }]],
    [
      'its list leaves the host out',
      (host) => [{}, { proxy: { url: host, loopback: true, noProxy: '.test, localhost' } }],
    ],
    ['the option is false', (host) => [{ https_proxy: host, HTTPS_PROXY: host }, { proxy: false }]],
  ])('is not asked when %s', async (_, made) => {
    const ada = await stage.user()
    const through = await proxy()
    const [environment, config] = made(through.host)
    const service = withEnvironment(environment, () => stage.service(config))
    expect(await service.createEvent('ada', ada.credentials, lesson)).toMatchObject({ verified: true })
    expect(through.tunnels).toEqual([])
  })

  test('of the environment is asked for Google, and NO_PROXY is heeded', async () => {
    const ada = await stage.user()
    const through = await proxy()
    const rootUrl = 'https://calendar.invalid' // a name that no server has: only the proxy is told it
    const call = async (environment) => {
      const service = withEnvironment(environment, () => stage.service({ rootUrl, timeoutMs: 300 }))
      await service.getEvent('ada', ada.credentials, 'someevent').catch(() => {})
    }
    await call({ HTTPS_PROXY: `http://${through.host}`, NO_PROXY: 'other.invalid' })
    expect(through.tunnels.length).toBeGreaterThan(0)
    expect(new Set(through.tunnels)).toEqual(new Set(['calendar.invalid:443']))
    const asked = through.tunnels.length
    await call({ HTTPS_PROXY: `http://${through.host}`, NO_PROXY: 'calendar.invalid' })
    expect(through.tunnels).toHaveLength(asked)
  })
})

// ---- names

test('quotaUser goes with every request: a hash of the user, a text, or nothing', async () => {
  const ada = await stage.user()
  const users = async () => {
    const requests = await stage.requestsOf(ada)
    return new Set(requests.map(({ query }) => new URLSearchParams(query).get('quotaUser')))
  }
  await stage.service().createEvent('ada', ada.credentials, lesson)
  expect(await users()).toEqual(new Set([null]))
  const hashed = stage.service({ quotaUser: true })
  await hashed.createEvent('ada@school.test', ada.credentials, lesson)
  const [, hash] = [...(await users())]
  expect(hash).toMatch(/^[0-9a-f]{40}$/)
  const { eventId } = await hashed.createEvent('ada', ada.credentials, lesson, { quotaUser: 'room 7' })
  expect([...(await users())]).toEqual([null, hash, 'room 7'])
  const place = { userId: 'ada', auth: ada.credentials, calendarId: 'primary' }
  await hashed.addAttendeeToEvent(eventId, 'kim@school.test', { ...place, quotaUser: 'room 8' })
  expect([...(await users())]).toEqual([null, hash, 'room 7', 'room 8'])
})

// ---- Redis over TLS

const withRedis = process.env.SURECAL_SKIP_REDIS === '1' ? describe.skip : describe

withRedis('a Redis over TLS with a password', () => {
  let redis, ca
  beforeAll(async () => {
    const { key, cert } = selfSigned('redis')
    ca = fs.readFileSync(cert, 'utf8')
    redis = await startRedis({ tls: { key, cert }, password: 's3cret' })
  })
  afterAll(() => redis?.stop())

  test('is a store for those who name its authority', async () => {
    const ada = await stage.user()
    const one = stage.service({ ca: [stage.google.ca, ca], store: { redis: redis.url } })
    const other = stage.service({ ca: [stage.google.ca, ca], store: { redis: redis.url } })
    const call = (service) => service.createEvent('ada', ada.credentials, lesson, { idempotencyKey: 'k' })
    await call(one)
    expect(await call(other)).toMatchObject({ verified: true, replayed: true })
    expect(await stage.live(ada)).toHaveLength(1)
  })

  test('is not believed by those who do not, and nothing is written', async () => {
    const ada = await stage.user()
    const service = stage.service({ store: { redis: redis.url }, timeoutMs: 2000 })
    const error = await service.createEvent('ada', ada.credentials, lesson).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', outcome: 'not-sent' })
    expect(inspect(error)).not.toContain('s3cret')
    expect(await stage.live(ada)).toEqual([])
  })
})
