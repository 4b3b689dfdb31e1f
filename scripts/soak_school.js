'use strict'

// One store's part of `npm run soak`: a school at work, in a process of its own. Sends a measurement now and then.
//
//   node --expose-gc scripts/soak_school.js '{"store": …, "folder": …, "everyMs": …, "samples": …}'

const { once } = require('node:events')
const fs = require('node:fs')
const path = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')
const express = require('express')
const { CalendarService } = require('..')
const { seeded } = require('../demo/seeded')
const { startEmulator } = require('../lib/testing')

const { store, folder, everyMs, samples } = JSON.parse(process.argv[2])
const SEED = 11
const TEACHERS = 8
/** Teachers work at once; each makes this long a pause between two classes. */
const PAUSE_MS = [50, 250]
const FAULTS = ['reset', 'status', 'truncate', 'html', 'drop', 'corrupt', 'precondition', 'delayedVisibility', 'stale']
const FAULTS_SHARE = 0.06
const STORES = { memory: 'memory', sqlite: { sqlite: path.join(folder, 'soak.sqlite') } }

const counted = { calls: 0, failed: 0, writes: 0 }

/** The answer of a call, or undefined: what fails by a fault is part of the day. A fault of ours ends the soak. */
async function call(promise, writes = 1) {
  counted.calls += 1
  counted.writes += writes
  try {
    return await promise
  } catch (error) {
    counted.failed += 1
    if (['INTERNAL', 'CONFIGURATION', 'VALIDATION_FAILED'].includes(error.code) || !error.code) throw error
    return undefined
  }
}

const classAt = (turn) => {
  const start = Date.UTC(2027, 2, 1, 8) + turn * 3_600_000
  return {
    summary: `Class ${turn}`,
    description: 'x'.repeat(2000),
    start: { dateTime: new Date(start).toISOString() },
    end: { dateTime: new Date(start + 3_600_000).toISOString() },
    attendees: [{ email: 'ann@school.test' }],
  }
}

/** One class from its making to its end, with what happens to it in between. */
async function oneClass({ service, url, chance }, { email, credentials }, turn) {
  const me = [email, credentials]
  const place = { userId: email, calendarId: email, auth: credentials }
  const options = { idempotencyKey: `${email} ${turn}`, timeoutMs: 3000 }
  const made = await call(service.createEvent(...me, classAt(turn), options))
  const ids = made?.success ? [made.eventId] : []
  if (chance.happens(0.3)) await call(service.createEvent(...me, classAt(turn), options))
  if (chance.happens(0.1)) {
    const many = await call(service.createEvents(...me, [classAt(turn), classAt(turn + 1)], { timeoutMs: 3000 }), 2)
    if (many?.success) ids.push(...many.events.map(({ eventId }) => eventId))
  }
  const [eventId] = ids
  if (eventId) {
    await call(service.verifyEvent(...me, eventId, classAt(turn)), 0)
    if (chance.happens(0.5)) await call(service.updateEvent(...me, eventId, { location: `Room ${turn % 9}` }))
    if (chance.happens(0.5)) await call(service.addAttendeeToEvent(eventId, 'ben@school.test', place))
    if (chance.happens(0.3)) await call(service.removeAttendeeFromEvent(eventId, 'ben@school.test', place))
    if (chance.happens(0.3)) {
      await call(service.enroll({ ...place, events: ids, attendee: 'eva@school.test', timeoutMs: 3000 }), ids.length)
    }
    if (chance.happens(0.2)) {
      const work = (tx) =>
        tx
          .step(
            () => turn,
            () => {},
          )
          .then(() => tx.addAttendee({ eventId, attendee: 'kim@school.test' }))
      await call(service.transaction(work, { ...place, timeoutMs: 3000 }))
    }
  }
  if (chance.happens(0.1)) {
    await call(
      (async () => {
        for await (const _event of service.listEvents(...me, { maxResults: 50 })) continue
      })(),
      0,
    )
  }
  if (chance.happens(0.1)) await call(service.getRefreshedOAuthClient(email, { forceRefresh: true }), 0)
  if (chance.happens(0.2)) {
    const headers = { 'idempotency-key': `${email} ${turn}`, 'x-user': email, 'content-type': 'application/json' }
    for (let time = 0; time < 2; time += 1) {
      await call(
        fetch(`${url}/classes`, { method: 'POST', headers, body: '{"turn":1}' }).then((answer) => answer.text()),
      )
    }
  }
  if (chance.happens(0.05)) {
    const leaving = new AbortController()
    const left = call(service.createEvent(...me, classAt(turn), { signal: leaving.signal, timeoutMs: 3000 }))
    leaving.abort()
    await left
  }
  for (const id of ids) await call(service.deleteEvent(...me, id))
}

/** Lets teachers stop between two classes, so that what is measured belongs to no call that is under way. */
class Break {
  #waiting = []
  #isOn = false

  constructor(people) {
    this.people = people
  }

  /** A teacher's, between two classes. */
  async pass() {
    if (!this.#isOn) return
    await new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  /** Calls `work` while nobody teaches. */
  async during(work) {
    this.#isOn = true
    while (this.#waiting.length < this.people) await sleep(5)
    const result = await work()
    this.#isOn = false
    for (const goOn of this.#waiting.splice(0)) goOn()
    return result
  }
}

async function measured(service, beganAt) {
  // What a call has left open is closed in the background; a fault may hold it up, but not for ever.
  for (let time = 0; service.metrics().openWork > 0 && time < 100; time += 1) await sleep(20)
  // Twice: what finalizers let go is collected by the second.
  for (let time = 0; time < 2; time += 1) {
    globalThis.gc()
    await sleep(20)
  }
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage()
  const { inFlight, openWork } = service.metrics()
  return {
    ...counted,
    atMs: Date.now() - beganAt,
    rss,
    heap: heapUsed,
    external: external + arrayBuffers,
    fds: countOf('/proc/self/fd'),
    threads: countOf('/proc/self/task'),
    handles: process.getActiveResourcesInfo().length,
    open: inFlight + openWork,
  }
}

/** Linux tells; elsewhere nothing is known, and nothing grows. */
const countOf = (folderOfProcess) => (fs.existsSync(folderOfProcess) ? fs.readdirSync(folderOfProcess).length : 0)

async function main() {
  const google = await startEmulator({ seed: SEED })
  await google.behaviour({ logLimit: 100 })
  const teachers = []
  for (let index = 0; index < TEACHERS; index += 1) teachers.push(await google.addUser(`teacher${index}@school.test`))
  const tokens = new Map(teachers.map(({ email, credentials }) => [email, credentials]))
  const service = new CalendarService({
    ...google.config,
    store: STORES[store],
    retry: { baseDelayMs: 20 },
    limits: { perUserPerMinute: 1e6, perProjectPerMinute: 1e7 },
    tokenStore: { load: (user) => tokens.get(user), save: (user, saved) => void tokens.set(user, saved) },
    resolveCalendar: (user) => ({ calendarId: user }),
    onOperation: () => {},
  })
  const app = express().use(express.json())
  app.use((req, _res, next) => Object.assign(req, { userId: req.get('x-user') }) && next())
  app.post('/classes', service.requireGoogleAuth(), service.idempotency(), (_req, res) =>
    res.json({ text: 'y'.repeat(500) }),
  )
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const school = { service, url: `http://127.0.0.1:${server.address().port}` }
  await google.profile({ seed: SEED, rate: FAULTS_SHARE, kinds: FAULTS })

  const beganAt = Date.now()
  const pause = new Break(teachers.length)
  let isOver = false
  const work = teachers.map(async (teacher, index) => {
    const chance = seeded(SEED, `teacher ${index}`)
    for (let turn = 0; !isOver; turn += 1) {
      await oneClass({ ...school, chance }, teacher, turn)
      await sleep(chance.between(...PAUSE_MS))
      await pause.pass()
    }
  })
  const watch = async () => {
    for (let sample = 1; sample <= samples; sample += 1) {
      await sleep(Math.max(0, beganAt + sample * everyMs - Date.now()))
      process.send(await pause.during(() => measured(service, beganAt)))
    }
  }
  await Promise.race([watch(), Promise.all(work)])
  isOver = true
  await Promise.all(work)
  await google.profile(null)
  await service.close({ drainMs: 5000 })
  server.closeAllConnections()
  server.close()
  await google.close()
  process.disconnect()
}

main()
