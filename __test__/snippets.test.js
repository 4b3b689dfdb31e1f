'use strict'

// Every snippet of the texts for people that is not a program or a test of its own is run here, in a scene that has the names it
// takes for granted. (MIGRATION.md is run by migration.test.js.)

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { randomUUID } = require('node:crypto')
const { pathToFileURL } = require('node:url')
const express = require('express')
const Database = require('libsql')
const request = require('supertest')
const surecal = require('surecal')
const { startEmulator } = require('../lib/testing')
const { lesson } = require('./support/lessons')
const { blocksOf } = require('./support/snippets')
const { setStage } = require('./support/stage')

const stage = setStage()
const { CalendarError } = surecal

const AsyncFunction = (async () => {}).constructor

/** Runs a snippet with these names, and gives what `result`, an expression, then is. */
const run = (text, names, result = 'undefined') =>
  new AsyncFunction(...Object.keys(names), `${text}\nreturn ${result}`)(...Object.values(names))

/** `require` as a snippet sees it: the packages named are these. */
const requiring = (packages) => (name) => packages[name] ?? require(name)

/** A teacher, and a service that finds their tokens by itself. */
async function scene(config = {}) {
  const user = await stage.user()
  const service = stage.service({ tokenStore: { load: async () => user.credentials }, ...config })
  return { user, service, who: [user.email, user.credentials] }
}

/** An app whose requests come from this teacher. */
function appOf(user) {
  const app = express()
  const arrive = (req, _res, next) => {
    req.userId = user.email
    req.oauth2Client = user.credentials
    next()
  }
  return app.use(express.json(), arrive)
}

const SCENES = {
  'README.md: // backend/services/calendar/googleCalendarService.js': async (text) => {
    const [user, records] = [await stage.user(), []]
    const { config } = stage.google
    class CalendarService extends surecal.CalendarService {
      constructor(given) {
        super({ ...config, ...given })
      }
    }
    const service = await run(
      text,
      {
        require: requiring({ surecal: { CalendarService } }),
        module: {},
        User: { findById: async () => ({ plan: 'pro', timeZone: 'Europe/Berlin' }) },
        Token: { findOne: async () => user.credentials },
        CalendarLog: { create: async (record) => records.push(record) },
      },
      'module.exports',
    )
    const floating = {
      ...lesson(),
      start: { dateTime: '2027-03-01T10:00:00' },
      end: { dateTime: '2027-03-01T11:00:00' },
    }
    expect(await service.createEvent('ada', null, floating)).toMatchObject({ verified: true, subscriptionPlan: 'pro' })
    expect(await stage.live(user)).toMatchObject([{ start: { timeZone: 'Europe/Berlin' } }])
    expect(records).toMatchObject([{ status: 'SUCCESS' }])
    await service.close()
  },

  "README.md: app.post('/classes', async (req, res, next) => {": async (text) => {
    const { user, service } = await scene()
    const app = appOf(user)
    await run(text, { app, GoogleCalendarService: service, CalendarError })
    const send = () => request(app).post('/classes').set('Idempotency-Key', 'form-1').send(lesson())
    expect((await send()).status).toBe(201)
    expect((await send()).body).toMatchObject({ replayed: true })
    user.credentials = { access_token: 'revoked' }
    expect(await send()).toMatchObject({ status: 401, body: { reconnect: true } })
    expect(await stage.live(user)).toHaveLength(1)
  },

  "README.md: router.put('/classes/:id/enrollment', signedIn('student'), findClass, once, organizersGrant, async (req, res) => {":
    async (text) => {
      const [rows, reminded] = [new Map(), new Map()]
      const undo = {
        dropEnrollment: ({ enrollmentId }) => rows.delete(enrollmentId),
        cancelReminders: ({ enrollmentId }) => reminded.delete(enrollmentId),
      }
      const { user, service, who } = await scene({ undo })
      const { events } = await service.createEvents(...who, [lesson(), lesson({ summary: 'Biology' })])
      const current = { id: 'class1', organizerId: user.email, lessons: events.map(({ eventId }) => ({ eventId })) }
      const router = express.Router()
      await run(text, {
        router,
        calendar: service,
        randomUUID,
        signedIn: () => (req, _res, next) => {
          req.user = { id: 'carl', email: 'carl@pupil.test' }
          next()
        },
        findClass: (req, _res, next) => {
          req.class = current
          next()
        },
        once: service.idempotency(),
        organizersGrant: service.requireGoogleAuth({ user: (req) => req.class.organizerId }),
        reminders: { schedule: async ({ id }, lessons) => reminded.set(id, lessons.length) },
        repository: { addEnrollment: async (row) => rows.set(row.id, row) },
      })
      const app = appOf(user).use(router).use(service.errorHandler())
      const send = (key) => request(app).put('/classes/class1/enrollment').set('Idempotency-Key', key)
      const guests = async () => (await stage.live(user)).flatMap(({ attendees = [] }) => attendees)
      await stage.faultFor(user, {
        operation: 'events.patch',
        match: { eventId: current.lessons[1].eventId },
        nth: 1,
        fault: { kind: 'status', status: 403, reason: 'forbidden' },
      })
      expect((await send('refused')).status).toBe(403)
      expect([await guests(), rows.size, reminded.size]).toEqual([[], 0, 0])
      expect(await send('well')).toMatchObject({ status: 200, body: { status: 'success' } })
      expect(await guests()).toMatchObject([{ email: 'carl@pupil.test' }, { email: 'carl@pupil.test' }])
      expect([[...rows.values()], [...reminded.values()]]).toMatchObject([[{ studentId: 'carl' }], [2]])
    },

  'README.md: async function enrol(eventId, student) {': async (text) => {
    const user = await stage.user()
    const auth = user.credentials
    const service = stage.service({ resolveCalendarForEvent: async () => ({ userId: user.email, auth }) })
    const { eventId } = await service.createEvent(user.email, auth, lesson())
    const enrol = await run(text, { service, teacherId: user.email, auth }, 'enrol')
    await enrol(eventId, { email: 'carl@pupil.test' })
    expect((await stage.live(user))[0].attendees).toMatchObject([{ email: 'carl@pupil.test' }])
  },

  'README.md: async function enrollStudent({ teacherId, auth, student, eventIds, row, jobId, idempotencyKey }) {':
    async (text) => {
      const undone = []
      const { user, service, who } = await scene({ undo: { cancelReminder: async ({ jobId }) => undone.push(jobId) } })
      const { events } = await service.createEvents(...who, [lesson(), lesson({ summary: 'Biology' })])
      const rows = new Set()
      const Enrollment = { create: async (row) => rows.add(row), deleteOne: async (row) => rows.delete(row) }
      const reminders = { schedule: jest.fn() }
      const enrollStudent = await run(text, { service, Enrollment, reminders, firstMeeting: lesson() }, 'enrollStudent')
      const given = { teacherId: who[0], auth: who[1], student: { email: 'carl@pupil.test' }, row: {}, jobId: 7 }
      await enrollStudent({ ...given, eventIds: events.map(({ eventId }) => eventId), idempotencyKey: 'e' })
      expect([rows.size, reminders.schedule.mock.calls.length, (await stage.live(user)).length]).toEqual([1, 1, 3])
      await expect(enrollStudent({ ...given, eventIds: ['nothing'], idempotencyKey: 'f' })).rejects.toThrow()
      const guests = (await stage.live(user)).map(({ attendees = [] }) => attendees.length)
      expect([rows.size, undone, guests.sort()]).toEqual([1, [], [0, 1, 1]])
    },

  "README.md: const express = require('express')": async (text) => {
    const { user, service } = await scene()
    const verifyAuthToken = jest.fn((_req, _res, next) => next())
    const router = await run(text, { require: requiring({ surecal: service }), verifyAuthToken }, 'router')
    const app = appOf(user).use(router)
    const send = () => request(app).post('/classes').set('Idempotency-Key', 'form-1').send(lesson())
    const [first, again] = [await send(), await send()]
    expect([first.status, again.headers['idempotent-replayed'], again.text]).toEqual([201, 'true', first.text])
    expect(await request(app).post('/classes').set('Idempotency-Key', 'form-2').send({})).toMatchObject({
      status: 400,
      body: { code: 'VALIDATION_FAILED' },
    })
    expect(await stage.live(user)).toHaveLength(1)
  },

  'README.md: const tokenStore = {': async (text) => {
    const user = await stage.user()
    const tokenStore = await run(text, user.credentials, 'tokenStore')
    const service = stage.service({ tokenStore })
    expect(await service.createEvent(user.email, null, lesson())).toMatchObject({ verified: true })
    expect(await tokenStore.save(user.email, user.credentials)).toBeUndefined()
  },

  "README.md: router.post('/classes', verifyAuthToken, service.requireGoogleAuth(), addNewClass)": async (text) => {
    const { user, service } = await scene()
    const router = express.Router()
    const addNewClass = async (req, res) =>
      res.status(201).json(await service.createEvent(req.userId, req.googleOAuth2Client, req.body))
    await run(text, { router, service, addNewClass, verifyAuthToken: (_req, _res, next) => next() })
    const answer = await request(appOf(user).use(router)).post('/classes').send(lesson())
    expect(answer).toMatchObject({ status: 201, body: { verified: true } })
  },

  "README.md: process.once('SIGTERM', async () => {": async (text) => {
    const { user, service, who } = await scene()
    const [on, logger, server] = [{}, { error: jest.fn() }, { close: jest.fn() }]
    let leave
    const ended = new Promise((resolve) => {
      leave = resolve
    })
    const process_ = { once: (name, listener) => Object.assign(on, { [name]: listener }), exit: leave }
    await run(text, { process: process_, server, GoogleCalendarService: service, logger })
    await stage.faultFor(user, { operation: 'events.insert', nth: 1, fault: { kind: 'latency', ms: 300 } })
    const call = service.createEvent(...who, lesson())
    await stage.google.counts() // A turn of the loop: the call has begun.
    await on.SIGTERM()
    expect(await ended).toBe(0)
    expect(await call).toMatchObject({ verified: true })
    expect([server.close.mock.calls.length, logger.error.mock.calls.length]).toEqual([1, 0])
    await expect(service.createEvent(...who, lesson())).rejects.toMatchObject({ code: 'CLOSED' })
    expect(await stage.live(user)).toHaveLength(1)
  },

  'README.md: new CalendarService({': async (text) => {
    // Port 1 of this machine: nobody is there, and the service says so.
    const names = {
      CalendarService: surecal.CalendarService,
      process: { env: { REDIS_URL: 'redis://127.0.0.1:1' } },
      tokenStore: { load: async () => null },
      dropEnrollment: async () => {},
    }
    const service = await run(`const service = ${text}`, names, 'service')
    expect(await service.health()).toMatchObject({ ready: false })
    await service.close({ drainMs: 0 })
  },

  "README.md: app.use('/admin/calendar', service.dashboard({ authorize: (req) => req.user?.isAdmin === true }))":
    async (text) => {
      const { service } = await scene()
      const app = express()
      app.use((req, _res, next) => {
        req.user = { isAdmin: req.get('admin') === 'yes' }
        next()
      })
      await run(text, { app, service })
      expect((await request(app).get('/ready')).body).toMatchObject({ ready: true, store: expect.anything() })
      expect((await request(app).get('/metrics')).text).toContain('surecal_')
      expect((await request(app).get('/admin/calendar').set('admin', 'yes')).status).toBe(200)
      expect((await request(app).get('/admin/calendar')).status).toBe(403)
      await service.close()
      expect((await request(app).get('/ready')).status).toBe(503)
    },

  "README.md: const { migrate } = require('surecal/migrate')": async (text) => {
    const { service, who, user } = await scene()
    const LegacyCalendarService = {
      createEvent: jest.fn(async () => ({ success: true, eventId: 'old' })),
      deleteEvent: jest.fn(async () => ({ success: true })),
    }
    const moved = await run(text, { require, LegacyCalendarService, service }, 'GoogleCalendarService')
    moved.set({ createEvent: true })
    expect(await moved.createEvent(...who, lesson())).toMatchObject({ verified: true })
    moved.set({ '*': false })
    expect(await moved.createEvent(...who, lesson())).toMatchObject({ eventId: 'old' })
    expect(await stage.live(user)).toHaveLength(1)
  },

  'docs/idempotency.md: <script type="module">': async (text) => {
    const [, script] = /<script[^>]*>\n([\s\S]*)<\/script>/.exec(text)
    const module = pathToFileURL(path.join(__dirname, '..', 'browser', 'index.js'))
    const page = `const [body, sent] = ['{}', []]
      globalThis.fetch = async (_url, { headers }) => (sent.push(headers['Idempotency-Key']), { ok: true, status: 201 })
      ${script.replace('/surecal/index.js', module)}
      console.log(JSON.stringify([...sent, intent.key]))`
    const said = execFileSync(process.execPath, ['--no-warnings', '--input-type=module', '--eval', page], {
      encoding: 'utf8',
    })
    expect(JSON.parse(said)[0]).toMatch(/^.{16,}$/)
  },

  'docs/idempotency.md: instructorClassSchema.add({ idempotency_key: String })': async (text) => {
    const [indexes, rows] = [[], []]
    const instructorClassSchema = { add() {}, index: (fields, options) => indexes.push([Object.keys(fields), options]) }
    const isIn = (fields) => (row) => Object.entries(fields).every(([name, value]) => row[name] === value)
    const Instructor_Class = {
      async create(row) {
        for (const [fields, { unique }] of indexes) {
          const taken = rows.some(isIn(Object.fromEntries(fields.map((name) => [name, row[name]]))))
          const keyPattern = Object.fromEntries(fields.map((name) => [name, 1]))
          if (unique && taken) throw Object.assign(new Error('E11000'), { code: 11000, keyPattern })
        }
        rows.push(row)
        return row
      },
      findOne: async (fields) => rows.find(isIn(fields)),
    }
    const saveOnce = await run(text, { instructorClassSchema, Instructor_Class }, 'saveOnce')
    const first = await saveOnce({ title: 'Algebra' }, 'ada', 'k')
    expect(await saveOnce({ title: 'Algebra' }, 'ada', 'k')).toBe(first)
    await saveOnce({ title: 'Algebra' }, 'eve', 'k')
    expect(rows).toHaveLength(2)
  },

  'docs/idempotency.md: ALTER TABLE instructor_class ADD COLUMN idempotency_key TEXT; -- NULLs do not collide': async (
    text,
  ) => {
    const database = new Database(':memory:')
    database.exec('CREATE TABLE instructor_class (organizer_id TEXT, title TEXT)')
    const [columns, index, insert, select] = text.replaceAll(/--.*$/gm, '').split(';')
    database.exec(columns)
    database.exec(index)
    const add = (organizer, key) => database.prepare(insert).run({ 1: organizer, 2: key, 3: 'Algebra' })
    const save = (organizer, key) => {
      add(organizer, key)
      return database.prepare(select).all({ 1: organizer, 2: key }).length
    }
    expect([save('ada', 'k'), save('ada', 'k'), save('eve', 'k')]).toEqual([1, 1, 1])
    add('ada', null)
    add('ada', null)
    expect(database.prepare('SELECT count(*) AS rows FROM instructor_class').all()).toEqual([{ rows: 4 }])
  },

  'docs/network.md: new CalendarService({': async (text) => {
    const google = await startEmulator({ tls: true })
    const disk = { readFileSync: () => Buffer.from(google.ca) }
    const service = await run(
      `const service = ${text}`,
      { CalendarService: surecal.CalendarService, fs: disk },
      'service',
    )
    expect(await service.health()).toMatchObject({ ready: true })
    await Promise.all([service.close(), google.close()])
  },
}

const FILES = [
  'README.md',
  ...fs
    .readdirSync(path.join(__dirname, '..', 'docs'))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `docs/${name}`),
  ...['TROUBLESHOOTING.md', 'SECURITY.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'examples/express-backend/README.md'],
]
const snippets = FILES.flatMap(blocksOf).filter(
  ({ language, marks }) => ['js', 'ts', 'html', 'sql'].includes(language) && !marks.includes('runnable'),
)

test('each snippet has a scene, and each scene a snippet', () => {
  expect(Object.keys(SCENES)).toEqual(snippets.map(({ title }) => title))
})

test.each(snippets)('the snippet "$title" does what it is shown for', ({ title, text }) => SCENES[title](text))
