'use strict'

const { CalendarError, configuration, fromNative, repeatedPage, validation, withContext } = require('./errors')
const { ATTENDEE_TIMEOUT, CALENDAR_OPERATION_TIMEOUT } = require('./constants')
const { attendeePlan } = require('./attendee')
const { LATE, within, withTimeout } = require('./bounded')
const { authRequired } = require('./auth')
const { CallCredentials } = require('./call_credentials')
const { oauthClientOf } = require('./oauth_client')
const { requireGoogleAuth } = require('./express/requireGoogleAuth')
const { PRIMARY, placeOf, placeFromCallback, callbackFailed, callbackLate, told } = require('./calendar_place')
const { splitConfig } = require('./callbacks')
const { CallsAtWork } = require('./calls_at_work')
const { layOver } = require('./settings')
const { Call, siteOf } = require('./call')
const { CallAnswers } = require('./call_answers')
const { wholeTime } = require('./call_time')
const { errorHandler } = require('./express/errorHandler')
const { LoopHold, DRAIN_MS } = require('./loop_hold')
const { OperationLog } = require('./operation_log')
const { RequestClaims } = require('./request_claims')
const { answerStoreQuestion, isStoreQuestion } = require('./store_questions')
const { eventIdOf, userIdOf } = require('./identity')
const { crossingOptions, peeked, textOf } = require('./json')
const { enrollmentPlan } = require('./enrollment')
const { Transactions } = require('./transactions')
const retry = require('./retry')
const { traced } = require('./tracing')
const { dashboard } = require('./dashboard/dashboard')
const native = require('./native')

/** Given to the constructor by the module itself: configured later. */
const LATER = Symbol('configured later')

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
  'addAttendeeToEvent',
  'removeAttendeeFromEvent',
  'enroll',
  'transaction',
  'getRefreshedOAuthClient',
  'requireGoogleAuth',
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
  'prometheus',
  'health',
  'dashboard',
  'close',
]

/** A Google Calendar service. index.d.ts is its manual; the work is done by the native part. */
class CalendarService {
  #native = null
  #closing = null
  #hold = null
  #callbacks = {}
  #settings = {}
  #atWork = new CallsAtWork()
  #answers = new CallAnswers()
  #operations = new OperationLog({
    atWork: this.#atWork,
    onOperation: () => this.#callbacks.onOperation,
    write: (record, limitMs) => this.logOperation(record, limitMs),
    isPlain: () => this.logOperation === this.#plainLog,
    log: (level, message, more) => this.#log(level, message, more),
  })
  #credentials = new CallCredentials({
    native: () => this.#native,
    settings: () => this.#settings,
    tokenStore: () => this.#callbacks.tokenStore,
    log: (level, message, more) => this.#log(level, message, more),
  })
  #claims = new RequestClaims({
    ask: (question, which) => this.#askLater(question, which),
    settings: () => this.#settings,
    timeoutMs: () => this.#timeoutMs,
    log: (level, message, more) => this.#log(level, message, more),
  })
  #transactions = new Transactions({
    perform: (plan) => this.#perform(plan),
    answered: (begin, ticket) => this.#answers.of(begin, ticket),
    handlers: () => this.#callbacks.undo,
    log: (level, message, more) => this.#log(level, message, more),
  })
  /** Whether this is the module's own service, which may be configured again after close(). */
  #startsLater = false
  /** logOperation, unless a subclass has one of its own: without a callback it does nothing. */
  #plainLog = null

  constructor(config = {}) {
    const plain = this.logOperation === entries.logOperation
    for (const name of BOUND) this[name] = this[name].bind(this)
    if (plain) this.#plainLog = this.logOperation
    if (config === LATER) this.#startsLater = true
    else this.#start(config)
  }

  // ---- events ----

  createEvent(userId, auth, eventData, options) {
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

  updateEvent(userId, auth, eventId, changes, options) {
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

  deleteEvent(userId, auth, eventId, options) {
    return this.#perform({
      operation: 'deleteEvent',
      entry: entries.deleteEvent,
      writes: true,
      asked: { userId, auth, options, eventId: () => eventIdOf(eventId) },
      recorded: [null],
      send: (addon, args, _body, ticket) => addon.deleteEvent(args, ticket),
    })
  }

  getEvent(userId, auth, eventId, options) {
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
    let pageToken = query?.pageToken
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

  // ---- attendees ----

  async addAttendeeToEvent(eventId, attendee, options) {
    return this.#perform({
      ...this.#attendeePlan('addAttendeeToEvent', eventId, attendee, options),
      send: (addon, args, body, ticket) => addon.addAttendee(args, body, ticket),
    })
  }

  async removeAttendeeFromEvent(eventId, attendee, options) {
    return this.#perform({
      ...this.#attendeePlan('removeAttendeeFromEvent', eventId, attendee, options),
      send: (addon, args, body, ticket) => addon.removeAttendee(args, body, ticket),
    })
  }

  // ---- several writes as one ----

  async enroll(request) {
    return this.#perform({ entry: entries.enroll, ...enrollmentPlan(request) })
  }

  async transaction(work, options) {
    return this.#transactions.run(work, options, entries.transaction)
  }

  // ---- tokens ----

  async getRefreshedOAuthClient(user, options) {
    const { throwOnFailure = false, ...asked } = crossingOptions(options, 'options')
    if (typeof throwOnFailure !== 'boolean') throw validation('options.throwOnFailure', 'must be true or false')
    try {
      return oauthClientOf(await this.#storedTokens(user, asked), this.#settings)
    } catch (error) {
      // A misspelt option is a fault of the program, and not for null to hide.
      if (throwOnFailure || error.field?.startsWith('options')) throw error
      this.#log('warn', 'getRefreshedOAuthClient failed and gave null', { code: error.code, reason: error.reason })
      return null
    }
  }

  requireGoogleAuth(options) {
    return requireGoogleAuth(options, {
      refresh: (user, asked) => this.getRefreshedOAuthClient(user, asked),
      throwsOnFailure: () => this.#settings.tokens?.throwOnFailure ?? true,
      log: (level, message, more) => this.#log(level, message, more),
    })
  }

  // ---- Express ----

  idempotency(...args) {
    return this.#claims.serve(...args)
  }

  /** The name old routes use. */
  idempotencyMiddleware(...args) {
    return this.#claims.serve(...args)
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
    this.#addon({ evenClosed: true }) // A call that was begun before may still have to ask.
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
    await this.#operations.handOver(record, limitMs)
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
    return this.#operations.withContext(JSON.parse(await this.#askLater((addon) => addon.pending())))
  }

  async recover() {
    try {
      return this.#operations.withContext(JSON.parse(await this.#askLater((addon) => addon.recover())))
    } finally {
      this.#hold?.touch()
    }
  }

  metrics() {
    return JSON.parse(this.#ask(() => this.#addon({ evenClosed: true }).metrics()))
  }

  prometheus() {
    return this.#ask(() => this.#addon({ evenClosed: true }).prometheus())
  }

  async health() {
    return JSON.parse(await this.#askLater((addon) => addon.health(), { evenClosed: true }))
  }

  dashboard(options) {
    const log = (level, message, more) => this.#log(level, message, more)
    return dashboard(options, { metrics: () => this.metrics(), pending: () => this.pending(), log })
  }

  async close(options) {
    const { drainMs = DRAIN_MS } = crossingOptions(options, 'options')
    if (!Number.isFinite(drainMs) || drainMs < 0)
      throw validation('drainMs', 'must be a number of milliseconds, 0 or more')
    if (this.#native === null) return []
    this.#closing ??= this.#closed(this.#native, this.#hold, drainMs)
    return this.#closing
  }

  // ---- inside ----

  /** Calls that were begun are let through first: once closed, the native part takes none that is still on its way. */
  async #closed(addon, hold, drainMs) {
    try {
      addon.closing()
      return JSON.parse(await addon.close(await this.#atWork.drained(drainMs)))
    } catch (error) {
      throw fromNative(error, { operation: 'close' })
    } finally {
      hold.release()
    }
  }

  get #timeoutMs() {
    return this.#settings.timeoutMs ?? CALENDAR_OPERATION_TIMEOUT
  }

  #start(config) {
    const { text, plain, callbacks } = splitConfig(config, process.env)
    const { NativeService } = native.load()
    const addon = this.#ask(() => this.#nativeOver(NativeService, text))
    this.#native = addon
    this.#hold = new LoopHold(addon)
    this.#closing = null
    this.#callbacks = {}
    this.#settings = {}
    this.#adopt(plain, callbacks)
    if (process.env.NODE_ENV === 'production' && (plain.store ?? 'memory') === 'memory') {
      const message =
        'the store is this process’s memory: what calls leave open to clean up is lost when the process dies. ' +
        'Give `store` an SQLite file (one machine) or a Redis (several) to keep it.'
      this.#log('warn', message, {})
    }
  }

  #nativeOver(NativeService, text) {
    // Many at one wake-up, in the order in which they came to be: a call's notices before its answer.
    const tell = (messages) => {
      for (let at = 0; at < messages.length; at += 2) {
        const ticket = messages[at]
        if (ticket === 0) this.#noticed(messages[at + 1])
        else this.#answers.deliver(Math.abs(ticket), messages[at + 1], ticket < 0)
      }
    }
    // Always a promise of a string or null: a thenable of the app's own would end the process.
    const ask = async (asked) => {
      const question = JSON.parse(textIn(asked))
      if (question.type === 'undoStep') return this.#transactions.undo(question)
      if (isStoreQuestion(question)) return answerStoreQuestion(question, this.#callbacks.store)
      return this.#credentials.answer(question)
    }
    return new NativeService(text, tell, ask)
  }

  #adopt(plain, callbacks) {
    Object.assign(this.#callbacks, callbacks)
    layOver(this.#settings, plain)
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

  #perform(plan) {
    const site = siteOf(plan.entry)
    const peek = peeked(plan.asked.options)
    return traced(plan, peek.context, () => this.#performed(plan, site, peek))
  }

  async #performed(plan, site, { context, signal, timeoutMs }) {
    const begun = { operation: plan.operation, context, userId: plan.asked.userId, place: null, call: null }
    let call
    this.#atWork.begin(begun)
    try {
      call = begun.call = new Call(plan.operation, {
        site,
        writes: plan.writes === true,
        timeoutMs: wholeTime(plan, timeoutMs, this.#timeoutMs),
        signal,
        opening: plan.opening,
      })
      const addon = this.#addon()
      const result = await call.abortable(this.#exchange(addon, call, plan, begun), (ticket) => addon.cancel(ticket))
      const logged = this.#operations.record(plan, begun, call, { result })
      if (logged) await logged
      return result
    } catch (thrown) {
      const error = withContext(call ? call.failure(thrown) : thrown, context)
      // The native part has counted what came to it.
      if (!call?.sent)
        this.#native?.endedOutside(plan.operation, `${error.code}`, `${error.outcome}`, call?.elapsedMs ?? 0)
      await this.#operations.record(plan, begun, call, { error })
      throw error
    } finally {
      this.#atWork.end(begun)
      this.#hold?.touch()
    }
  }

  /** From the caller's values to the native call and back. Nothing that can be refused here is left for later. */
  async #exchange(addon, call, { asked, body, send, bare, locate, kept = [] }, begun) {
    if (!locate) begun.userId = userIdOf(asked.userId)
    const options = crossingOptions(asked.options, 'options', [...KEPT_OPTIONS, ...kept])
    const eventId = asked.eventId?.()
    // Text from here on: what was checked is what is sent, whatever the caller does to the objects meanwhile.
    const optionsText = textOf(options, 'options')
    const pageText = asked.paged
      ? `,"query":${textOf({ ...crossingOptions(asked.query, 'query'), pageToken: asked.pageToken }, 'query')}`
      : ''
    let bodyText = body?.()
    const who = locate ? await locate(call) : asked
    const userId = (begun.userId = userIdOf(who.userId))
    const held = this.#credentials.hold(who.auth)
    try {
      const placed = asked.placeless ? {} : this.#place(call, userId, locate ? who : options)
      const token = this.#credentials.firstToken(call, held)
      const place = token ? (await Promise.all([placed, token]))[0] : await placed
      begun.place = place
      const { calendarId, timeZone } = place
      const text = await call.handOver((ticket) => {
        const head = { userId, calendarId, timeZone, eventId, auth: held.args, spentMs: call.elapsedMs }
        const args = `${JSON.stringify(head).slice(0, -1)}${pageText},"options":${optionsText}}`
        const crossing = bodyText
        bodyText = undefined // The native part has its own; while it waits for Google, one is enough.
        return this.#answers.of(() => send(addon, args, crossing, ticket), ticket)
      })
      const result = JSON.parse(text)
      return bare ? result : Object.assign(result, told(place))
    } catch (error) {
      throw this.#credentials.withLoadFault(error, userId)
    } finally {
      this.#credentials.letGo(held)
    }
  }

  #attendeePlan(...args) {
    const timeoutMs = () => this.#settings.attendees?.timeoutMs ?? ATTENDEE_TIMEOUT
    const resolve = (eventId) => {
      const ask = this.#callbacks.resolveCalendarForEvent
      return ask && this.#asked('resolveCalendarForEvent', () => ask(eventId))
    }
    return attendeePlan({ entries, timeoutMs, resolve }, ...args)
  }

  /** The place, or a promise of it. */
  #place(call, userId, { calendarId }) {
    if (typeof calendarId === 'string') return placeOf({ calendarId })
    // One bound is enough, and it is the call's: its message names the method.
    return call.bounded(this.resolveCalendar(userId, Infinity), 'resolveCalendar')
  }

  /** The stored tokens of a user, fresh, by Google's names. */
  async #storedTokens(user, options) {
    const tokens = await this.#perform({
      operation: 'getRefreshedOAuthClient',
      entry: entries.getRefreshedOAuthClient,
      asked: { userId: user, auth: null, options, placeless: true },
      send: (addon, args, _body, ticket) => addon.refreshTokens(args, ticket),
      bare: true,
    })
    if (tokens.refresh_token) return tokens
    throw authRequired('There is no refresh token for this user in the token store; let the user connect again.')
  }

  async #asked(name, callback) {
    try {
      return await callback()
    } catch (cause) {
      throw callbackFailed(name, cause)
    }
  }

  /** What the native part tells unasked. It must never throw: there is nobody above it. */
  #noticed(text) {
    try {
      const notice = JSON.parse(text)
      if (notice.type === 'tokens') this.#credentials.handBack(notice.authRef)
      else if (notice.type === 'settled') this.#operations.settled(notice)
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

/** napi hands over a callback's tuple as an array where the binding does not spread it. */
const textIn = (argument) => (Array.isArray(argument) ? argument[0] : argument)

/** The methods as they are here: the frames of a stack know these, also where a subclass or a spy replaced them. */
const entries = Object.fromEntries(BOUND.map((name) => [name, CalendarService.prototype[name]]))

/** The service that the module itself is: configured later, and anew after close(). */
const moduleService = () => new CalendarService(LATER)

module.exports = { CalendarService, moduleService }
