'use strict'

const { setTimeout: sleep } = require('node:timers/promises')
const { loadOverFake, deferred } = require('./fakes/load')
const { nativeError } = require('./fakes/native')
const { serving, begin, exchange, jsonOf } = require('./support/exchange')

const DUPLICATE = { status: 'duplicate', message: 'This request is currently being processed' }

describe.each([
  ['4', 'express4'],
  ['5', 'express'],
])('on Express %s', (_version, name) => {
  const express = require(name)
  let surecal, fake, service, server, runs, logged, answer, seen
  beforeEach(() => {
    ;({ surecal, fake } = loadOverFake())
    runs = 0
    logged = []
    seen = []
    answer = (_req, res) => res.status(201).json({ run: runs })
    const logger = { warn: (message) => logged.push(message), error: (message) => logged.push(message) }
    service = new surecal.CalendarService({ logger, timeoutMs: 200 })
  })
  afterEach(() => server?.stop())

  const knowsUser = (req, _res, next) => {
    const user = req.get('X-User')
    if (user) req.userId = user
    next()
  }

  /** An app whose every route has the middleware and the handler `answer`. */
  async function start(options, { middleware = service.idempotency(options), before = [] } = {}) {
    const app = express()
    app.set('env', 'test') // Express writes errors to stderr otherwise.
    const handler = (req, res, next) => {
      runs++
      seen.push(req.idempotencyKey)
      return answer(req, res, next)
    }
    app.use(express.json(), express.text(), express.urlencoded({ extended: false }), knowsUser, ...before)
    for (const path of ['/classes', '/classes/:id']) app.all(path, middleware, handler)
    app.use(service.errorHandler())
    server = await serving(app)
    return app
  }

  /** POST /classes of ada's with key k1 and one body, unless something else is said. */
  const asked = ({ headers = {}, ...more } = {}) => ({
    path: '/classes',
    ...(more.body === undefined ? { json: { title: 'Algebra', slots: [1, 2] } } : {}),
    ...more,
    headers: { 'X-User': 'ada', 'Idempotency-Key': 'k1', ...headers },
  })
  const ask = (more) => exchange(server.port, asked(more))
  const askBare = (headers = {}) => {
    const { 'Idempotency-Key': _key, ...others } = asked().headers
    return exchange(server.port, { ...asked(), headers: { ...others, ...headers } })
  }

  describe('a second arrival', () => {
    test('while the first runs is told so, with the time to wait, and does not run', async () => {
      const first = deferred()
      answer = async (_req, res) => res.json(await first.promise)
      await start()
      const waiting = ask()
      await until(() => runs === 1)
      const second = await ask()
      expect(second.status).toBe(409)
      expect(jsonOf(second)).toEqual({ ...DUPLICATE, retryAfter: 3 })
      expect(second.headers['retry-after']).toBe('3')
      first.resolve({ made: true })
      expect(jsonOf(await waiting)).toEqual({ made: true })
      expect(runs).toBe(1)
    })

    test('after the first has the first answer, and the handler does not run', async () => {
      await start()
      const first = await ask()
      const second = await ask()
      expect(second.status).toBe(201)
      expect(second.body).toEqual(first.body)
      expect(second.headers['idempotent-replayed']).toBe('true')
      expect(runs).toBe(1)
    })

    test('with another request under the same key is refused', async () => {
      await start()
      await ask()
      for (const other of [{ json: { title: 'Logic' } }, { path: '/classes?draft=1' }, { body: 'title=Algebra' }]) {
        const refused = await ask(other)
        expect(refused.status).toBe(422)
        expect(jsonOf(refused)).toMatchObject({ status: 'error', code: 'IDEMPOTENCY_KEY_REUSED', outcome: 'not-sent' })
      }
      expect(runs).toBe(1)
    })

    test('with keys and parameters in another order is the same request', async () => {
      await start()
      await ask({ json: { title: 'Algebra', place: { room: 1, house: 2 } }, path: '/classes?a=1&b=2' })
      const again = await ask({ json: { place: { house: 2, room: 1 }, title: 'Algebra' }, path: '/classes?b=2&a=1' })
      expect(again.headers['idempotent-replayed']).toBe('true')
    })

    test('of another user, on another route or by another method is another key', async () => {
      await start()
      await ask()
      await ask({ headers: { 'X-User': 'bob' } })
      await ask({ path: '/classes/7' })
      await ask({ method: 'PUT' })
      expect(runs).toBe(4)
      expect(new Set(seen).size).toBe(4)
    })

    test('with a cookie in the first answer gets no cookie of the first', async () => {
      answer = (_req, res) => res.cookie('session', 'of the first').set('X-Trace', 't1').json({})
      await start({ safeHeaders: ['X-Trace'] })
      expect((await ask()).headers['set-cookie']).toHaveLength(1)
      const second = await ask()
      expect(second.headers['set-cookie']).toBeUndefined()
      expect(second.headers['x-trace']).toBe('t1')
      expect(JSON.stringify(fake.claims.finished)).not.toContain('of the first')
    })

    test('gets problem+json if the app asked for it', async () => {
      const first = deferred()
      answer = async (_req, res) => res.json(await first.promise)
      await start({ conflict: 'problem+json' })
      const waiting = ask()
      await until(() => runs === 1)
      const running = await ask()
      expect(running.headers['content-type']).toMatch('application/problem+json')
      expect(jsonOf(running)).toMatchObject({
        type: 'about:blank',
        title: 'Idempotency in progress',
        status: 409,
        code: 'IDEMPOTENCY_IN_PROGRESS',
        retryAfter: 3,
      })
      first.resolve({})
      await waiting
      expect(jsonOf(await ask({ json: {} }))).toMatchObject({ status: 422, code: 'IDEMPOTENCY_KEY_REUSED' })
    })
  })

  describe('the key', () => {
    test.each([
      ['quoted', { 'Idempotency-Key': '"k1"' }],
      ['under the older name', { 'X-Idempotency-Key': 'k1' }],
      ['under both names', { 'Idempotency-Key': 'k1', 'X-Idempotency-Key': '"k1"' }],
    ])('%s is the same key', async (_how, headers) => {
      await start()
      await ask()
      const again = await askBare(headers)
      expect(again.headers['idempotent-replayed']).toBe('true')
      expect(fake.claims.begun.map(({ key }) => key)).toEqual(['k1', 'k1'])
    })

    test('with escaped quotes inside is read as the draft says', async () => {
      await start()
      await ask({ headers: { 'Idempotency-Key': String.raw`"a\"b\\c"` } })
      expect(fake.claims.begun[0].key).toBe(String.raw`a"b\c`)
    })

    test.each([
      ['empty', { 'Idempotency-Key': '' }],
      ['empty in quotes', { 'Idempotency-Key': '""' }],
      ['with an open quote', { 'Idempotency-Key': '"k1' }],
      ['too long', { 'Idempotency-Key': 'k'.repeat(256) }],
      ['not ASCII', { 'Idempotency-Key': 'kl\u00e9' }],
      ['two keys', { 'X-Idempotency-Key': 'k2' }],
    ])('%s is refused', async (_how, headers) => {
      await start()
      const refused = await ask({ headers })
      expect(refused.status).toBe(400)
      expect(jsonOf(refused).code).toBe('VALIDATION_FAILED')
      expect(runs).toBe(0)
      expect(fake.claims.begun).toEqual([])
    })

    test('missing lets the request on with one warning, or refuses it when it is required', async () => {
      await start()
      await askBare()
      expect((await askBare()).status).toBe(201)
      expect(runs).toBe(2)
      expect(seen).toEqual([undefined, undefined])
      expect(logged).toEqual([expect.stringContaining('without an idempotency key')])
      await server.stop()
      await start({ required: true })
      expect((await askBare()).status).toBe(400)
      expect(runs).toBe(2)
    })

    test('is not asked of methods that change nothing, or are not listed', async () => {
      await start({ methods: ['PUT', 'HEAD'] })
      await ask()
      await ask({ method: 'GET' })
      await ask({ method: 'HEAD' })
      expect(fake.claims.begun).toEqual([])
      await ask({ method: 'PUT' })
      expect(fake.claims.begun).toHaveLength(1)
    })

    test('that createEvent gets is stable, holds neither user nor key, and fits', async () => {
      answer = async (req, res) =>
        res.json(
          await service.createEvent('ada', 'token', { summary: 'Algebra' }, { idempotencyKey: req.idempotencyKey }),
        )
      await start()
      await ask()
      await service.clearIdempotency()
      await ask()
      const keys = fake.calls.map(({ args }) => args.options.idempotencyKey)
      expect(keys).toEqual([seen[0], seen[0]])
      expect(keys[0]).toMatch(/^[\w-]{43}$/)
    })
  })

  describe('the scope', () => {
    test('that is missing is an error at once, not a space that all share', async () => {
      await start()
      for (const _time of [1, 2]) {
        const refused = await ask({ headers: { 'X-User': '' } })
        expect(refused.status).toBe(500)
        expect(jsonOf(refused)).toMatchObject({ status: 'error', code: 'CONFIGURATION' })
      }
      expect(runs).toBe(0)
      expect(fake.claims.begun).toEqual([])
      expect(logged[0]).toMatch('no scope')
    })

    test('that is an object without an id of its own is no scope', async () => {
      await start({ scope: () => ({}) })
      expect((await ask()).status).toBe(500)
    })

    test.each([
      ['req.user.id', { user: { id: 7 } }, '7'],
      ['req.user._id', { user: { _id: { toHexString: () => 'ab12' } } }, 'ab12'],
      ['req.userId first', { userId: 'x', user: { id: 7 } }, 'x'],
    ])('comes from %s', async (_from, fields, scope) => {
      const before = [(req, _res, next) => next(void Object.assign(req, { userId: undefined }, fields))]
      await start({}, { before })
      await ask()
      expect(fake.claims.begun[0].scope).toBe(scope)
    })

    test('may be found out by a promise, and what it throws goes to the app', async () => {
      await start({ scope: async (req) => `tenant-${req.get('X-User')}` })
      await ask()
      expect(fake.claims.begun[0].scope).toBe('tenant-ada')
      await server.stop()
      await start({
        scope: async () => {
          throw new surecal.CalendarError({ code: 'PERMISSION_DENIED', message: 'not you' })
        },
      })
      expect((await ask()).status).toBe(403)
    })
  })

  describe('an answer', () => {
    test.each([401, 403, 408, 409, 425, 429, 500, 502, 503, 504, 400, 404])(
      '%i is not kept: the next request runs',
      async (status) => {
        answer = (_req, res) => res.status(status).json({})
        await start({ replayable: [422] })
        expect((await ask()).status).toBe(status)
        answer = (_req, res) => res.status(201).json({})
        expect((await ask()).status).toBe(201)
        expect(fake.claims.released).toEqual(['claim1'])
      },
    )

    test('of a listed status is kept', async () => {
      answer = (_req, res) => res.status(422).json({ field: 'title' })
      await start({ replayable: [422] })
      await ask()
      expect((await ask()).headers['idempotent-replayed']).toBe('true')
    })

    test('shorter than it says is not kept, for it is not whole', async () => {
      answer = (_req, res) => res.set('Content-Length', '10').end('short')
      await start()
      await ask().catch(() => {})
      await until(() => fake.claims.released.length === 1)
      expect(fake.claims.finished).toEqual([])
    })

    test.each([
      [
        'thrown',
        () => {
          throw new Error('broken')
        },
      ],
      ['given to next', (_req, _res, next) => next(new Error('broken'))],
      ['of the service', (_req, _res, next) => next(new surecal.CalendarError({ code: 'TIMEOUT', message: 'late' }))],
    ])('for an error %s goes through the app’s error handler, and the key is free', async (_how, failing) => {
      answer = failing
      await start()
      expect((await ask()).status).toBeGreaterThanOrEqual(500)
      await until(() => fake.claims.released.length === 1)
      answer = (_req, res) => res.json({})
      expect((await ask()).status).toBe(200)
    })

    test('that breaks in the middle breaks the connection, and the key is free', async () => {
      answer = (_req, res, next) => {
        res.write('half')
        next(new Error('broken'))
      }
      await start()
      await expect(ask()).rejects.toThrow()
      await until(() => fake.claims.released.length === 1)
    })

    test('is kept as long as the middleware, else the configuration says', async () => {
      await start()
      await ask()
      service.configure({ idempotency: { ttlMs: 60000 } })
      await ask({ headers: { 'Idempotency-Key': 'k2' } })
      await server.stop()
      await start({ ttlMs: 5000 })
      await ask({ headers: { 'Idempotency-Key': 'k3' } })
      expect(fake.claims.finished.map(({ ttlMs }) => ttlMs)).toEqual([3600000, 60000, 5000])
    })
  })

  describe('a client that leaves', () => {
    test('changes nothing: the handler goes on, its answer is kept', async () => {
      const work = deferred()
      let left = false
      const before = (_req, res, next) => {
        res.on('close', () => (left = true))
        next()
      }
      answer = async (_req, res) => res.json(await work.promise)
      await start({}, { before: [before] })
      const { request, answer: lost } = begin(server.port, asked())
      lost.catch(() => {})
      await until(() => runs === 1)
      request.destroy()
      await until(() => left)
      expect(jsonOf(await ask())).toMatchObject(DUPLICATE)
      work.resolve({ made: true })
      await until(() => fake.claims.finished.length === 1)
      const again = await ask()
      expect(jsonOf(again)).toEqual({ made: true })
      expect(again.headers['idempotent-replayed']).toBe('true')
      expect(runs).toBe(1)
    })

    test('from a handler that never answers does not hold the key for ever', async () => {
      answer = () => {}
      await start({ orphanMs: 1000 })
      const { request, answer: lost } = begin(server.port, asked())
      lost.catch(() => {})
      await until(() => runs === 1)
      request.destroy()
      await sleep(500)
      expect(fake.claims.released).toEqual([])
      await until(() => fake.claims.released.length === 1)
    })
  })

  describe('a store that is down', () => {
    test('stops the request with 503, or lets it on when told to', async () => {
      fake.claims.down = true
      await start()
      const refused = await ask()
      expect(refused.status).toBe(503)
      expect(refused.headers['retry-after']).toBe('2')
      expect(jsonOf(refused)).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true })
      expect(runs).toBe(0)
      await server.stop()
      await start({ storeDown: 'allow' })
      expect((await ask()).status).toBe(201)
      expect(seen[0]).toMatch(/^[\w-]{43}$/)
    })

    test('that never answers holds nobody beyond the deadline, and a late claim is given back', async () => {
      const late = deferred()
      const claimed = fake.claims.begin.bind(fake.claims)
      fake.claims.begin = async (text) => {
        await late.promise
        return claimed(text)
      }
      await start()
      expect((await ask()).status).toBe(503)
      late.resolve()
      await until(() => fake.claims.released.length === 1)
      expect(runs).toBe(0)
    })

    test.each([
      ['says that it does not know', () => 'unknown'],
      ['never answers', () => new Promise(() => {})],
      ['fails', async () => Promise.reject(nativeError({ code: 'STORE_UNAVAILABLE' }))],
    ])('when the answer is to be kept and %s: the answer is given, the key is not', async (_how, fate) => {
      fake.claims.fate = fate
      await start()
      expect((await ask()).status).toBe(201)
      expect(fake.claims.released).toEqual([])
      expect(logged).toEqual([expect.stringContaining('not known whether')])
    })

    test('when a key is to be freed still lets the answer out', async () => {
      answer = (_req, res) => {
        fake.claims.down = true
        res.status(500).json({})
      }
      await start()
      expect((await ask()).status).toBe(500)
    })
  })

  test('a run that lost its lease is told as a duplicate, and what it would have said is not sent', async () => {
    answer = (_req, res) => {
      fake.claims.loseLease()
      res.cookie('session', 'x').set('ETag', 'x').status(201).json({ stale: true })
    }
    await start({}, { before: [(_req, res, next) => next(void res.set('X-Before', 'stays'))] })
    const { status, headers, ...rest } = await ask()
    expect(status).toBe(409)
    expect(jsonOf(rest)).toEqual({ ...DUPLICATE, retryAfter: 1 })
    expect(headers).toMatchObject({ 'retry-after': '1', 'x-before': 'stays' })
    expect(headers['set-cookie']).toBeUndefined()
    expect(headers.etag).toBeUndefined()
    expect(fake.claims.released).toEqual([])
  })

  test('the old routes, with the check of the Google grant after it: a 401 is not replayed', async () => {
    let connected = false
    const { idempotencyMiddleware } = service
    const requireGoogleAccess = (_req, res, next) =>
      connected ? next() : res.status(401).json({ status: 'error', code: 'GOOGLE_AUTH_REQUIRED' })
    const app = express()
    const router = express.Router()
    router.post('/add-new-class', knowsUser, idempotencyMiddleware, requireGoogleAccess, (_req, res) => {
      runs++
      res.json({ run: runs })
    })
    app.use(express.json())
    app.use('/api/instructor', router)
    server = await serving(app)
    const add = () => ask({ path: '/api/instructor/add-new-class' })
    expect((await add()).status).toBe(401)
    connected = true
    expect(jsonOf(await add())).toEqual({ run: 1 })
    connected = false
    expect(jsonOf(await add())).toEqual({ run: 1 })
  })

  test('the alias makes a middleware too, and the module’s own works once it is configured', async () => {
    await start({}, { middleware: surecal.idempotencyMiddleware({ required: true }) })
    expect((await askBare()).status).toBe(400)
    expect(jsonOf(await ask())).toMatchObject({ code: 'CONFIGURATION' })
    surecal.configure({})
    expect((await ask()).status).toBe(201)
    await surecal.close()
    expect((await ask()).status).toBe(503)
  })

  test('switched off it does nothing, and switched on again it does', async () => {
    await start()
    service.configure({ idempotency: { enabled: false } })
    await ask()
    await ask()
    expect(runs).toBe(2)
    expect(fake.claims.begun).toEqual([])
    service.configure({ idempotency: { enabled: true } })
    await ask()
    expect(fake.claims.begun).toHaveLength(1)
  })

  test('cleared, the store knows no key any more', async () => {
    await start()
    await ask()
    await service.clearIdempotency()
    await ask()
    expect(runs).toBe(2)
  })

  test('twice on one way it counts once', async () => {
    await start({}, { before: [service.idempotency()] })
    expect((await ask()).status).toBe(201)
    expect(logged).toEqual([expect.stringContaining('used twice')])
  })

  test('a body that nobody has read yet is told of, once', async () => {
    const form = { body: '--x\r\n\r\n\r\n--x--', headers: { 'Content-Type': 'multipart/form-data; boundary=x' } }
    await start()
    await ask(form)
    await ask(form)
    expect(logged).toEqual([expect.stringContaining('not parsed')])
  })

  test('a body nested without end is refused, not a crash', async () => {
    const deep = `${'['.repeat(40000)}${']'.repeat(40000)}`
    await start()
    expect((await ask({ body: deep, headers: { 'Content-Type': 'application/json' } })).status).toBe(400)
    expect(runs).toBe(0)
  })

  test('the app may say what makes two requests one', async () => {
    await start({ fingerprint: (req) => req.body.title })
    await ask({ json: { title: 'Algebra', sentAt: 1 } })
    expect((await ask({ json: { title: 'Algebra', sentAt: 2 } })).headers['idempotent-replayed']).toBe('true')
    expect((await ask({ json: { title: 'Logic', sentAt: 2 } })).status).toBe(422)
  })

  const until = async (fact) => {
    while (!fact()) await sleep(5)
  }
})

test.each([
  [{ require: true }, 'require is not known'],
  [{ scope: 'userId' }, 'scope must be a function'],
  [{ replayable: [401] }, 'replayable must list'],
  [{ replayable: [500] }, 'replayable must list'],
  [{ safeHeaders: ['Set-Cookie'] }, 'safeHeaders must list'],
  [{ headers: [] }, 'headers must be a list'],
  [{ conflict: 'rfc' }, 'conflict must be'],
  [{ ttlMs: 5 }, 'ttlMs must be'],
  [[], 'must be an object'],
])('the option %j is refused when the middleware is made', (options, words) => {
  const { surecal } = loadOverFake()
  expect(() => surecal.idempotency(options)).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }))
  expect(() => surecal.idempotency(options)).toThrow(words)
})
