'use strict'

// The middleware with the real store, the check of the Google grant and createEvent behind it: a backend as the old
// routes have it, counted by what the calendar holds.

const path = require('node:path')
const fs = require('node:fs')
const os = require('node:os')
const { serving, exchange, jsonOf } = require('./support/exchange')
const { lesson } = require('./support/lessons')
const { setStage } = require('./support/stage')
const { memoryStore, tokenPeople } = require('./support/token_people')

const stage = setStage()
const people = tokenPeople(stage)

/** The four methods over a Map. */
class MapStore {
  #entries = new Map()

  async get(key) {
    const found = this.#entries.get(key)
    return found && (found.expiresAt === null || found.expiresAt > Date.now()) ? found : null
  }

  async put(key, value, { expected, version, ttlMs }) {
    // No await between the look and the write: that is the one step that a database must make of it.
    const found = this.#entries.get(key)
    const alive = found && (found.expiresAt === null || found.expiresAt > Date.now()) ? found.version : null
    if (alive !== expected) return false
    this.#entries.set(key, { value, version, expiresAt: ttlMs === null ? null : Date.now() + ttlMs })
    return true
  }

  async delete(key, expected) {
    return this.#entries.get(key)?.version === expected && this.#entries.delete(key)
  }

  async open(prefix) {
    const open = [...this.#entries].filter(([key, { expiresAt }]) => expiresAt === null && key.startsWith(prefix))
    return open.map(([key, { value, version }]) => ({ key, value, version }))
  }
}

let folder
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'surecal-'))
})
afterAll(() => fs.rmSync(folder, { recursive: true }))

const STORES = {
  memory: () => 'memory',
  sqlite: () => ({ sqlite: path.join(folder, `${Math.random()}.db`) }),
  'an object of the program’s': () => new MapStore(),
}

describe.each(Object.keys(STORES))('over %s', (kind) => {
  describe.each([
    ['4', 'express4'],
    ['5', 'express'],
  ])('on Express %s', (_version, name) => {
    const express = require(name)
    let server, service, user, tokens, runs
    beforeEach(async () => {
      user = await people.user()
      tokens = memoryStore()
      service = stage.service({ tokenStore: tokens, store: STORES[kind]() })
      runs = 0
      const app = express()
      app.use(express.json(), (req, _res, next) => {
        req.userId = user.email
        next()
      })
      app.post('/add-new-class', service.idempotencyMiddleware, service.requireGoogleAuth(), async (req, res, next) => {
        runs++
        const { idempotencyKey } = req
        try {
          res
            .status(201)
            .json(await service.createEvent(user.email, req.googleOAuth2Client, req.body, { idempotencyKey }))
        } catch (error) {
          next(error)
        }
      })
      app.use(service.errorHandler())
      server = await serving(app)
    })
    afterEach(() => server.stop())

    const add = (key = 'k1', json = lesson()) =>
      exchange(server.port, { path: '/add-new-class', json, headers: { 'X-Idempotency-Key': key } })

    test('a 401 is not replayed once the user has connected again; ten repetitions make one event', async () => {
      expect(jsonOf(await add())).toMatchObject({ code: 'GOOGLE_AUTH_REQUIRED' })
      tokens.tokens[user.email] = user.credentials
      const first = await add()
      expect(first.status).toBe(201)
      const again = await Promise.all(Array.from({ length: 10 }, () => add()))
      for (const { status, body } of again) expect([status, body]).toEqual([201, first.body])
      expect(runs).toBe(1)
      expect(await stage.live(user)).toHaveLength(1)
    })

    test('at once, one of ten runs and the others are told so', async () => {
      tokens.tokens[user.email] = user.credentials
      const answers = await Promise.all(Array.from({ length: 10 }, () => add()))
      expect(runs).toBe(1)
      expect(answers.every(({ status }) => [201, 409].includes(status))).toBe(true)
      expect(await stage.live(user)).toHaveLength(1)
    })

    test('a failure of Google’s is not kept, and the repetition comes to one event', async () => {
      tokens.tokens[user.email] = user.credentials
      await stage.faultFor(user, {
        operation: 'events.insert',
        fault: { kind: 'status', status: 403, reason: 'forbidden' },
      })
      expect(jsonOf(await add())).toMatchObject({ status: 'error', code: 'PERMISSION_DENIED' })
      await stage.google.clearFaults()
      expect((await add()).status).toBe(201)
      expect(runs).toBe(2)
      expect(await stage.live(user)).toHaveLength(1)
    })

    test('cleared, the handler runs again and createEvent gives the event there is', async () => {
      tokens.tokens[user.email] = user.credentials
      const first = jsonOf(await add())
      await service.clearIdempotency()
      expect(jsonOf(await add())).toMatchObject({ eventId: first.eventId, replayed: true })
      expect(runs).toBe(2)
      expect(await stage.live(user)).toHaveLength(1)
    })
  })
})
