'use strict'

const { CalendarError, configuration, fromNative, validation } = require('./errors')
const { CALENDAR_OPERATION_TIMEOUT } = require('./constants')
const { LATE, within, withTimeout } = require('./bounded')
const { accessTokenOf, authRequired } = require('./auth')
const { PRIMARY, placeOf, placeFromCallback, callbackFailed, told } = require('./calendar_place')
const { splitConfig } = require('./callbacks')
const { Call } = require('./call')
const { errorHandler } = require('./express/errorHandler')
const { idempotency } = require('./express/idempotency')
const { LoopHold, DRAIN_MS } = require('./loop_hold')
const { OpenRecords, recordOf } = require('./records')
const { eventIdOf, userIdOf } = require('./identity')
const { crossingOptions, textOf } = require('./json')
const retry = require('./retry')
const native = require('./native')

/** Given to the constructor by the module itself: configured later. */
const LATER = Symbol('configured later')

/** A batch has this much more time for each event, and this much at most (or its own timeoutMs, if that is longer). */
const BATCH_MS_PER_EVENT = 500
const BATCH_MS_AT_MOST = 60000

/** Settings that the facade itself goes by; all the rest is the native part's. */
const OWN_SETTINGS = ['timeoutMs', 'attemptTimeoutMs', 'retry', 'idempotency']

/** Settings that are objects: a new one is laid over the old. */
const LAYERED_SETTINGS = ['retry', 'idempotency']

/** Milliseconds a stored answer is kept, unless the configuration or the middleware says otherwise. */
const ANSWER_TTL_MS = 3600000

/** Options that do not cross: a native part can do nothing with them. */
const KEPT_OPTIONS = ['signal', 'context']

/** Methods that work without their object: `const { createEvent } = service`. */
const BOUND = [
  'createEvent',
  'createEvents',
  'verifyEvent',
  'getEvent',
  'listEvents',
  'updateEvent',
  'deleteEvent',
  'idempotency',
  'idempotencyMiddleware',
  'errorHandler',
  'clearIdempotency',
  'executeWithRetry',
  'withTimeout',
  'isRetryableError',
  'resolveCalendar',
  'logOperation',
  'configure',
  'pending',
  'recover',
  'metrics',
  'close',
]

/** A Google Calendar service. index.d.ts is its manual; the work is done by the native part. */
class CalendarService {
  #native = null
  #closing = null
  #hold = null
  #callbacks = {}
  #settings = {}
  #openRecords = new OpenRecords()
  /** The middleware with its defaults, made when it is first used as one. */
  #idempotent = null
  /** What the middleware needs of the service. */
  #claims = {
    enabled: () => this.#settings.idempotency?.enabled ?? true,
    timeoutMs: () => this.#timeoutMs,
    ttlMs: () => this.#settings.idempotency?.ttlMs ?? ANSWER_TTL_MS,
    begin: async (claim) => JSON.parse(await this.#askLater((addon) => addon.claimBegin(JSON.stringify(claim)))),
    finish: (id, record) =>
      this.#askLater((addon) => addon.claimFinish(id, JSON.stringify(record)), { evenClosed: true }),
    release: (id) => this.#askLater((addon) => addon.claimRelease(id), { evenClosed: true }),
    log: (level, message, more) => this.#log(level, message, more),
  }
  /** Whether this is the module's own service, which may be configured again after close(). */
  #startsLater = false

  constructor(config = {}) {
    for (const name of BOUND) this[name] = this[name].bind(this)
    if (config === LATER) this.#startsLater = true
    else this.#start(config)
  }

  // ---- events ----

  async createEvent(userId, auth, eventData, options) {
    return this.#perform({
      operation: 'createEvent',
      entry: entries.createEvent,
      writes: true,
      asked: { userId, auth, options },
      recorded: [eventData],
      body: () => textOf(eventData, 'eventData'),
      send: (addon, args, body, ticket) => addon.createEvent(args, body, ticket),
    })
  }

  async createEvents(userId, auth, eventsData, options) {
    return this.#perform({
      operation: 'createEvents',
      entry: entries.createEvents,
      writes: true,
      asked: { userId, auth, options },
      recorded: Array.isArray(eventsData) ? eventsData : [],
      body: () => textOf(eventsData, 'eventsData', '['),
      send: (addon, args, body, ticket) => addon.createEvents(args, body, ticket),
    })
  }

  async updateEvent(userId, auth, eventId, changes, options) {
    return this.#perform({
      operation: 'updateEvent',
      entry: entries.updateEvent,
      writes: true,
      asked: { userId, auth, options, eventId: () => eventIdOf(eventId) },
      recorded: [changes],
      body: () => textOf(changes, 'changes'),
      send: (addon, args, body, ticket) => addon.updateEvent(args, body, ticket),
    })
  }

  async deleteEvent(userId, auth, eventId, options) {
    return this.#perform({
      operation: 'deleteEvent',
      entry: entries.deleteEvent,
      writes: true,
      asked: { userId, auth, options, eventId: () => eventIdOf(eventId) },
      recorded: [null],
      send: (addon, args, _body, ticket) => addon.deleteEvent(args, ticket),
    })
  }

  async getEvent(userId, auth, eventId, options) {
    return this.#perform({
      operation: 'getEvent',
      entry: entries.getEvent,
      asked: { userId, auth, options, eventId: () => eventIdOf(eventId) },
      send: (addon, args, _body, ticket) => addon.getEvent(args, ticket),
    })
  }

  async verifyEvent(userId, auth, eventId, expectedData, options) {
    try {
      return await this.#perform({
        operation: 'verifyEvent',
        entry: entries.verifyEvent,
        asked: { userId, auth, options, eventId: () => eventIdOf(eventId) },
        body: () => textOf(expectedData, 'expectedData'),
        send: (addon, args, body, ticket) => addon.verifyEvent(args, body, ticket),
        bare: true,
      })
    } catch (error) {
      return { success: false, verified: false, error: error.message, errorCode: error.code, eventId }
    }
  }

  async *listEvents(userId, auth, query, options) {
    let pageToken
    do {
      const page = await this.#perform({
        operation: 'listEvents',
        entry: entries.listEvents,
        asked: { userId, auth, options, query, pageToken, paged: true },
        send: (addon, args, _body, ticket) => addon.listPage(args, ticket),
        bare: true,
      })
      yield* page.items ?? []
      const next = page.nextPageToken ?? undefined
      if (next !== undefined && next === pageToken) throw repeatedPage()
      pageToken = next
    } while (pageToken !== undefined)
  }

  // ---- Express ----

  /** As a middleware itself (three arguments), and as the maker of one. */
  idempotency(options, ...more) {
    if (typeof more[1] !== 'function') return idempotency(options, this.#claims)
    this.#idempotent ??= idempotency({}, this.#claims)
    return this.#idempotent(options, ...more)
  }

  /** The name old routes use. */
  idempotencyMiddleware(...args) {
    return this.idempotency(...args)
  }

  errorHandler() {
    return errorHandler()
  }

  async clearIdempotency() {
    await this.#askLater((addon) => addon.clearIdempotency())
  }

  // ---- for call sites that were not migrated yet ----

  async executeWithRetry(fn, maxRetries, options) {
    return retry.executeWithRetry(fn, maxRetries, options, this.#settings)
  }

  async withTimeout(promise, ms, name) {
    return withTimeout(promise, ms, name)
  }

  isRetryableError(error, options) {
    return retry.isRetryableError(error, options)
  }

  async resolveCalendar(userId, limitMs = this.#timeoutMs) {
    this.#addon()
    const id = userIdOf(userId)
    if (!this.#callbacks.resolveCalendar) return placeOf({ calendarId: PRIMARY })
    const answer = await within(
      this.#asked('resolveCalendar', () => this.#callbacks.resolveCalendar(id)),
      limitMs,
    )
    if (answer === LATE) throw callbackLate('resolveCalendar', this.#timeoutMs)
    return placeFromCallback(answer)
  }

  /** Never rejects on account of the callback: a log that is down must not turn a created event into an error. */
  async logOperation(record, limitMs = this.#timeoutMs) {
    this.#addon({ evenClosed: true })
    await this.#logged(record, limitMs)
  }

  // ---- the service itself ----

  configure(config) {
    if (this.#native === null || (this.#startsLater && this.#closing)) {
      this.#start(config ?? {})
      return
    }
    const { text, plain, callbacks } = splitConfig(config)
    this.#ask(() => this.#addon().configure(text))
    this.#adopt(plain, callbacks)
  }

  async pending() {
    return JSON.parse(await this.#askLater((addon) => addon.pending()))
  }

  async recover() {
    try {
      return JSON.parse(await this.#askLater((addon) => addon.recover()))
    } finally {
      this.#hold?.touch()
    }
  }

  metrics() {
    return JSON.parse(this.#ask(() => this.#addon({ evenClosed: true }).metrics()))
  }

  async close(options) {
    const { drainMs = DRAIN_MS } = crossingOptions(options, 'options')
    if (!Number.isFinite(drainMs) || drainMs < 0)
      throw validation('drainMs', 'must be a number of milliseconds, 0 or more')
    if (this.#native === null) return []
    this.#closing ??= this.#native.close(drainMs).then(JSON.parse, (error) => {
      throw fromNative(error, { operation: 'close' })
    })
    return this.#closing
  }

  // ---- inside ----

  get #timeoutMs() {
    return this.#settings.timeoutMs ?? CALENDAR_OPERATION_TIMEOUT
  }

  #start(config) {
    const { text, plain, callbacks } = splitConfig(config)
    const { NativeService } = native.load()
    const addon = this.#ask(
      () =>
        new NativeService(
          text,
          (notice) => this.#noticed(notice),
          async () => null,
        ),
    )
    this.#native = addon
    this.#hold = new LoopHold(addon)
    this.#closing = null
    this.#callbacks = {}
    this.#settings = {}
    this.#adopt(plain, callbacks)
  }

  #adopt(plain, callbacks) {
    Object.assign(this.#callbacks, callbacks)
    for (const key of OWN_SETTINGS) {
      if (plain[key] === undefined || plain[key] === null) continue
      this.#settings[key] = LAYERED_SETTINGS.includes(key) ? { ...this.#settings[key], ...plain[key] } : plain[key]
    }
  }

  /** The native service, or a CalendarError that says why there is none. */
  #addon({ evenClosed = false } = {}) {
    if (this.#native === null) {
      throw configuration(
        'surecal is not configured: call configure({ … }) once at start, or use an instance: new CalendarService({ … }).',
      )
    }
    if (this.#closing && !evenClosed) {
      throw new CalendarError({
        code: 'CLOSED',
        outcome: 'not-sent',
        message: 'The service was closed. Nothing was sent to Google.',
      })
    }
    return this.#native
  }

  #ask(question) {
    try {
      return question()
    } catch (error) {
      throw CalendarError.is(error) ? error : fromNative(error)
    }
  }

  async #askLater(question, which) {
    const addon = this.#addon(which)
    try {
      return await question(addon)
    } catch (error) {
      throw fromNative(error)
    }
  }

  async #perform(plan) {
    const { context, signal, timeoutMs } = peeked(plan.asked.options)
    const begun = { operation: plan.operation, context, userId: plan.asked.userId, place: null }
    let call
    try {
      call = new Call(plan.operation, {
        entry: plan.entry,
        writes: plan.writes === true,
        timeoutMs: this.#limitOf(plan, timeoutMs),
        signal,
      })
      const addon = this.#addon()
      const result = await call.abortable(this.#exchange(addon, call, plan, begun), (ticket) => addon.cancel(ticket))
      await this.#record(plan, begun, call, { result })
      return result
    } catch (thrown) {
      const error = call ? call.failure(thrown) : thrown
      await this.#record(plan, begun, call, { error })
      throw error
    } finally {
      this.#hold?.touch()
    }
  }

  /** From the caller's values to the native call and back. Nothing that can be refused here is left for later. */
  async #exchange(addon, call, { asked, body, send, bare }, begun) {
    const userId = userIdOf(asked.userId)
    begun.userId = userId
    const options = crossingOptions(asked.options, 'options', KEPT_OPTIONS)
    const eventId = asked.eventId?.()
    // Text from here on: what was checked is what is sent, whatever the caller does to the objects meanwhile.
    const optionsText = textOf(options, 'options')
    const pageText = asked.paged
      ? `,"query":${textOf({ ...crossingOptions(asked.query, 'query'), pageToken: asked.pageToken }, 'query')}`
      : ''
    const bodyText = body?.()
    const [place, accessToken] = await Promise.all([
      this.#place(call, userId, options),
      this.#accessToken(call, userId, asked.auth),
    ])
    begun.place = place
    const { calendarId, timeZone } = place
    const text = await call.handOver((ticket) => {
      const spentMs = call.elapsedMs
      const head = { userId, calendarId, timeZone, eventId, auth: { accessToken }, spentMs }
      const args = `${JSON.stringify(head).slice(0, -1)}${pageText},"options":${optionsText}}`
      return send(addon, args, bodyText, ticket)
    })
    const result = JSON.parse(text)
    return bare ? result : { ...result, ...told(place) }
  }

  async #place(call, userId, { calendarId }) {
    if (typeof calendarId === 'string') return placeOf({ calendarId })
    // One bound is enough, and it is the call's: its message names the method.
    return call.bounded(this.resolveCalendar(userId, Infinity), 'resolveCalendar')
  }

  async #accessToken(call, userId, auth) {
    if (auth !== null && auth !== undefined) return call.bounded(accessTokenOf(auth), 'the auth object')
    const load = this.#callbacks.tokenStore?.load
    if (!load) {
      throw authRequired(
        'No auth was given and no tokenStore is configured. Nothing was sent; pass auth or set tokenStore.load.',
      )
    }
    const stored = await call.bounded(
      this.#asked('tokenStore.load', () => load(userId)),
      'tokenStore.load',
    )
    return call.bounded(accessTokenOf(stored), 'the stored auth')
  }

  async #asked(name, callback) {
    try {
      return await callback()
    } catch (cause) {
      throw callbackFailed(name, cause)
    }
  }

  #limitOf({ operation, recorded }, timeoutMs) {
    const whole = Number.isFinite(timeoutMs) && timeoutMs > 0 ? timeoutMs : this.#timeoutMs
    if (operation !== 'createEvents' || recorded.length < 2) return whole
    return Math.min(whole + BATCH_MS_PER_EVENT * recorded.length, Math.max(whole, BATCH_MS_AT_MOST))
  }

  /** One record for each event that a write was asked for. */
  async #record({ operation, recorded }, begun, call, end) {
    if (!recorded) return
    const batch = operation === 'createEvents'
    const records = recorded.map((eventData, index) => {
      const of = { ...begun, operation: batch ? 'createEvent' : operation, eventData, elapsedMs: call?.elapsedMs ?? 0 }
      return recordOf(of, batch && end.result ? { result: end.result.events?.[index] ?? end.result } : end)
    })
    for (const record of records) this.#openRecords.remember(record, end.error?.outcome)
    // A caller that left, or whose time is over, does not wait for the log.
    const limitMs = end.error?.code === 'ABORTED' ? 0 : (call?.leftMs ?? 0)
    const written = Promise.all(records.map((record) => this.#toLog(record, limitMs)))
    if (limitMs > 0) await within(written, limitMs)
  }

  /** Through the public method, so that one who replaces it is asked; whatever it does, the call is not affected. */
  async #toLog(record, limitMs) {
    try {
      await this.logOperation(record, limitMs)
    } catch (error) {
      this.#log('warn', 'logOperation failed; the call it tells of is not affected', { error: nameOf(error) })
    }
  }

  async #logged(record, limitMs) {
    const { onOperation } = this.#callbacks
    if (!onOperation) return
    const work = (async () => onOperation(record))().catch((error) => {
      this.#log('warn', 'onOperation failed; the call it tells of is not affected', { error: nameOf(error) })
    })
    if (limitMs <= 0) return
    if ((await within(work, limitMs)) === LATE) this.#log('warn', 'onOperation did not answer in time', {})
  }

  /** What the native part tells unasked. It must never throw: there is nobody above it. */
  #noticed(text) {
    try {
      // napi hands over a callback's tuple as an array where the binding does not spread it.
      const notice = JSON.parse(Array.isArray(text) ? text[0] : text)
      if (notice.type === 'settled') this.#toLog(this.#openRecords.settled(notice), 0)
      else if (notice.type === 'log') {
        const { type: _type, level, message, ...more } = notice
        this.#log(level, message, more)
      }
    } catch {
      this.#log('warn', 'a notice of the native part could not be read', {})
    }
  }

  #log(level, message, more) {
    const write = this.#callbacks.logger?.[level]
    if (!write) return
    // An async logger that rejects must not end the process.
    ;(async () => write(message, more))().catch(() => {})
  }
}

const nameOf = (error) => (error instanceof Error ? error.name : typeof error)

/** What is needed of the options before they are checked. */
function peeked(options) {
  if (options === null || typeof options !== 'object') return {}
  try {
    const { context, signal, timeoutMs } = options
    return { context, signal, timeoutMs }
  } catch {
    return {} // A getter that throws is told as a fault of the options later.
  }
}

function callbackLate(name, ms) {
  return new CalendarError({
    code: 'TIMEOUT',
    outcome: 'not-sent',
    message: `${name} timed out after ${ms}ms. Nothing was sent to Google.`,
  })
}

function repeatedPage() {
  return new CalendarError({
    code: 'SERVER_ERROR',
    outcome: 'not-sent',
    message: 'Google returned the same page token twice; the list was stopped.',
  })
}

/** The methods as they are here: the frames of a stack know these, also where a subclass or a spy replaced them. */
const entries = Object.fromEntries(BOUND.map((name) => [name, CalendarService.prototype[name]]))

/** The service that the module itself is: configured later, and anew after close(). */
const moduleService = () => new CalendarService(LATER)

module.exports = { CalendarService, moduleService }
