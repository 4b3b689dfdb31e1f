'use strict'

const { LOOKS, eventIdIn } = require('./looks')
const { withTimeout } = require('../bounded')

/** Looks under way at once, and those that wait for their turn; more are left out, and counted. */
const MAX_AT_WORK = 4
const MAX_WAITING = 100

/** Before the second look at something that should be gone, in milliseconds. */
const BETWEEN_LOOKS_MS = 1000

/** A look that is not over by then is given up, in milliseconds. The new service's own deadline is earlier. */
const LOOK_LIMIT_MS = 60000

/** What says that the calendar is not as the old service said it is. */
const SILENT_FAILURES = ['missing', 'mismatch', 'leftover']

/**
 * Looks at what the old service wrote, after it has answered. Nothing in here throws at a caller, and nobody waits
 * for it.
 */
class Shadow {
  #service
  #report
  #eventIdOf
  #resolveCalendarForEvent
  #waiting = []
  #atWork = 0
  #counts = {}
  #reportsFailed = 0
  #idle = []
  /** Event id -> number of writes seen, for events of which a look is not over. */
  #watched = new Map()

  /**
   * @param {object} service the new one
   * @param {{onShadow?: Function, eventIdOf?: Function, resolveCalendarForEvent?: Function}} callbacks the program's own
   */
  constructor(service, { onShadow, eventIdOf = eventIdIn, resolveCalendarForEvent }) {
    this.#service = service
    this.#report = onShadow
    this.#eventIdOf = eventIdOf
    this.#resolveCalendarForEvent = resolveCalendarForEvent
  }

  /** How many looks came to what, by method; how many are open; how many reports `onShadow` did not take. */
  counts() {
    const open = this.#atWork + this.#waiting.length
    return { methods: structuredClone(this.#counts), open, reportsFailed: this.#reportsFailed }
  }

  /** Resolves when no look is under way or waits. */
  settled() {
    if (this.#atWork === 0 && this.#waiting.length === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#idle.push(resolve)
    })
  }

  /** A write begins, of either service: what an open look will see is perhaps not what its own write left. */
  wrote(method, args) {
    const eventId = EVENT_ID[method]?.(args)
    const watched = this.#watched.get(eventId)
    if (watched) watched.writes += 1
  }

  /**
   * Takes down what a call of the old service asks for, before it. Gives a function that takes its answer.
   *
   * @returns {{answered: (answer: unknown) => void, failed: () => void}}
   */
  expect(method, args) {
    const startedAt = performance.now()
    const about = { method, eventId: null, userId: null }
    let plan
    try {
      const { where, asked } = LOOKS[method]
      const at = where(args)
      Object.assign(about, { eventId: at.eventId ?? null, userId: at.userId ?? null })
      // As text: old services, and their callers, change the object while they use it.
      plan = { at, asked: JSON.stringify(asked(args) ?? null) }
    } catch {
      plan = null
    }
    return {
      answered: (answer) => this.#answered(about, plan, answer, startedAt),
      failed: () => this.#tell(about, { outcome: 'old-failed' }, startedAt),
    }
  }

  #answered(about, plan, answer, startedAt) {
    try {
      if (answer?.success === false) return this.#tell(about, { outcome: 'old-failed' }, startedAt)
      const eventId = plan?.at.eventId ?? this.#eventIdOf(answer)
      if (!plan || typeof eventId !== 'string') return this.#tell(about, UNKNOWN, startedAt)
      about.eventId = eventId
      if (this.#waiting.length >= MAX_WAITING) return this.#tell(about, { outcome: 'left-out' }, startedAt)
      const { at, asked } = plan
      const watched = this.#watch(eventId)
      this.#waiting.push({ about, at: { ...at, eventId }, asked, startedAt, watched, writes: watched.writes })
      // The caller goes on first.
      setImmediate(() => this.#next())
    } catch {
      this.#tell(about, UNKNOWN, startedAt)
    }
  }

  #watch(eventId) {
    const watched = this.#watched.get(eventId) ?? { eventId, looks: 0, writes: 0 }
    watched.looks += 1
    this.#watched.set(eventId, watched)
    return watched
  }

  async #next() {
    if (this.#atWork >= MAX_AT_WORK) return
    const look = this.#waiting.shift()
    if (!look) return
    this.#atWork += 1
    const found = await this.#found(look)
    const { watched } = look
    watched.looks -= 1
    if (watched.looks === 0) this.#watched.delete(watched.eventId)
    const overtaken = found.outcome !== 'confirmed' && watched.writes !== look.writes
    this.#tell(look.about, overtaken ? { outcome: 'overtaken' } : found, look.startedAt)
    this.#atWork -= 1
    this.#next()
    if (this.#atWork === 0 && this.#waiting.length === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  async #found({ about, at, asked }) {
    try {
      const placed = await this.#placed(at)
      about.userId ??= placed.userId
      const tools = { service: this.#service, pause }
      return await withTimeout(LOOKS[about.method].look(tools, placed, JSON.parse(asked)), LOOK_LIMIT_MS)
    } catch {
      return UNKNOWN
    }
  }

  async #placed(at) {
    if (at.userId !== undefined && at.userId !== null) return at
    const { userId, auth, calendarId } = await this.#resolveCalendarForEvent(at.eventId)
    return {
      ...at,
      userId,
      auth: at.auth ?? auth ?? null,
      options: calendarId ? { ...at.options, calendarId } : at.options,
    }
  }

  #tell({ method, userId, eventId }, { outcome, fields = [], errorCode = null }, startedAt) {
    const counts = (this.#counts[method] ??= {})
    counts[outcome] = (counts[outcome] ?? 0) + 1
    if (!this.#report) return
    const elapsedMs = performance.now() - startedAt
    const silentFailure = SILENT_FAILURES.includes(outcome)
    const report = { method, outcome, silentFailure, userId, eventId, fields, errorCode, elapsedMs }
    // Async, so that a report that throws or rejects disturbs nobody.
    ;(async () => this.#report(report))().catch(() => {
      this.#reportsFailed += 1
    })
  }
}

const UNKNOWN = { outcome: 'unverifiable' }

/** Where writes name the event they change. */
const EVENT_ID = {
  updateEvent: (args) => args[2],
  deleteEvent: (args) => args[2],
  addAttendeeToEvent: (args) => args[0],
  removeAttendeeFromEvent: (args) => args[0],
}

const pause = () =>
  new Promise((resolve) => {
    setTimeout(resolve, BETWEEN_LOOKS_MS)
  })

module.exports = { Shadow, CAN_SHADOW: Object.keys(LOOKS) }
