'use strict'

const { AsyncLocalStorage } = require('node:async_hooks')
const { CalendarError, fromNative, validation } = require('./errors')
const { guestOf } = require('./attendee')
const { LATE, within } = require('./bounded')
const { calendarOf } = require('./enrollment')
const { eventIdOf } = require('./identity')
const { crossingOptions, textOf } = require('./json')

/** Says that we are inside a transaction's function, across its awaits. */
const inside = new AsyncLocalStorage()

const STEP_OPTIONS = ['signal', 'context']

/** Runs transactions: the native part keeps them, this part runs the caller's functions. */
class Transactions {
  #perform
  #answered
  #handlers
  #log
  /** By claim: what the transactions at work know how to undo. */
  #undos = new Map()

  /** @param {object} service `perform`, `answered` (CallAnswers.of), `handlers` (the configuration's `undo`), `log` */
  constructor({ perform, answered, handlers, log }) {
    this.#perform = perform
    this.#answered = answered
    this.#handlers = handlers
    this.#log = log
  }

  async run(work, options, entry) {
    const { userId, auth, ...rest } = crossingOptions(options, 'options')
    const recorded = []
    let value
    const { success, replayed, skipped } = await this.#perform({
      operation: 'transaction',
      entry,
      writes: true,
      asked: { userId, auth, options: rest },
      recorded,
      body: () => checked(work),
      send: async (addon, args, _body, ticket) => {
        const begun = JSON.parse(await this.#answered(() => addon.transactionBegin(args, ticket), ticket))
        if (begun.replayed) return JSON.stringify({ success: true, replayed: true, skipped: begun.skipped })
        const driven = await this.#drive(addon, begun, { work, args, recorded, signal: rest.signal })
        value = driven.value
        return JSON.stringify({ success: true, replayed: false, skipped: driven.skipped })
      },
      bare: true,
    })
    return { success, replayed, result: value, skipped }
  }

  /** The caller's function, then all of it stays or goes. */
  async #drive(addon, begun, { work, args, recorded, signal }) {
    const startedAt = performance.now()
    const ask = (method, ...told) => this.#answered((ticket) => addon[method](...told, ticket))
    const steps = new Steps(ask, begun, args, recorded)
    this.#undos.set(begun.claim, steps.undos)
    let failed = null
    let verified = false
    try {
      const value = await this.#outcome(steps, work, begun.workMs, signal)
      const committed = JSON.parse(await ask('transactionCommit', begun.id))
      verified = committed.verified
      return { value, skipped: committed.skipped }
    } catch (thrown) {
      steps.end()
      const error = CalendarError.is(thrown) || thrown instanceof CallersError ? thrown : native(thrown)
      const told = error.outcome === 'unknown' && steps.committing ? error : await rolledBack(ask, begun.id, error)
      failed = told
      throw told
    } finally {
      this.#undos.delete(begun.claim)
      addon.endedOutside('transaction', failed?.code, failed?.outcome, performance.now() - startedAt, verified)
    }
  }

  async #outcome(steps, work, workMs, signal) {
    const working = inside.run(true, async () => work(steps.api))
    const value = await within(abortable(working, signal), workMs).catch((cause) => {
      throw CalendarError.is(cause) && cause.operation === 'transaction' ? cause : new CallersError(cause)
    })
    working.catch(() => {}) // After its time nobody listens.
    steps.end()
    if (signal?.aborted) throw endedBy('ABORTED', 'transaction was aborted by its AbortSignal.')
    if (value === LATE) throw endedBy('TIMEOUT', `transaction timed out: its function took more than ${workMs}ms.`)
    if (steps.failed) throw steps.failed
    if (steps.open > 0) {
      throw validation('transaction', 'has a step that its function did not wait for: await every call on tx')
    }
    steps.committing = true
    return value
  }

  /** Undoes a step of the application's own: `"done"`, or `"missing"` where nobody knows how. */
  async undo({ transaction, number, name, args }) {
    const living = this.#undos.get(transaction)
    const handler = transaction ? living?.get(number) : this.#handlers()?.[name]
    // A step whose transaction ended before its function was called has nothing to be undone.
    if (!handler) return living ? '"done"' : '"missing"'
    try {
      await handler(transaction ? undefined : JSON.parse(args))
    } catch (error) {
      const which = name ?? `step ${number + 1}`
      this.#log('error', `the undo of ${which} failed`, { error: error instanceof Error ? error.name : typeof error })
      throw error
    }
    return '"done"'
  }
}

/** The steps of one transaction, as its function takes them. */
class Steps {
  undos = new Map()
  open = 0
  failed = null
  committing = false
  #ended = false
  #ask
  #id
  #args
  #recorded

  /** @param {(method: string, ...args: unknown[]) => Promise<string>} ask the native part */
  constructor(ask, { id }, args, recorded) {
    this.#ask = ask
    this.#id = id
    this.#args = JSON.parse(args)
    this.#recorded = recorded
    this.api = Object.freeze({
      addAttendee: (request) => this.#take(() => this.#addAttendee(request)),
      createEvent: (eventData, options) => this.#take(() => this.#createEvent(eventData, options)),
      step: (...step) => this.#take(() => this.#step(step)),
    })
  }

  end() {
    this.#ended = true
  }

  async #take(step) {
    this.#refuseLate()
    this.open += 1
    try {
      return await step()
    } catch (thrown) {
      // Only what the application's own step threw is passed on as it is.
      const error = thrown instanceof CallersError ? thrown.cause : CalendarError.is(thrown) ? thrown : native(thrown)
      this.failed ??= thrown instanceof CallersError ? thrown : error
      throw error
    } finally {
      this.open -= 1
    }
  }

  #refuseLate() {
    if (this.#ended) {
      throw validation('tx', 'belongs to a transaction that is over: await every step inside its function')
    }
  }

  async #addAttendee(request) {
    const { eventId, calendarId, attendee, sendUpdates, ...unknown } = crossingOptions(request, 'tx.addAttendee')
    refuseUnknown(unknown)
    const id = eventIdOf(eventId)
    const entry = { eventId: id }
    this.#recorded.push(entry)
    const body = { eventId: id, ...calendarOf(calendarId), attendee: guestOf(attendee) }
    const text = textOf(sendUpdates === undefined ? body : { ...body, sendUpdates }, 'tx.addAttendee')
    entry.told = JSON.parse(await this.#ask('transactionAdd', this.#id, text))
    return entry.told
  }

  async #createEvent(eventData, options) {
    const own = crossingOptions(options, 'options', STEP_OPTIONS)
    const { userId, calendarId, timeZone } = this.#args
    const args = textOf({ userId, calendarId, timeZone, options: own }, 'options')
    const text = await this.#ask('transactionCreate', this.#id, args, textOf(eventData, 'eventData'))
    const created = JSON.parse(text)
    this.#recorded.push({ eventId: created.eventId, eventData, told: created })
    return created
  }

  /** `(run, undo)` or `(name, args, run)`. The undo is known before the step runs. */
  async #step(step) {
    const [first, second, third] = step
    const named = typeof first === 'string'
    const run = named ? third : first
    if (typeof run !== 'function' || (!named && typeof second !== 'function')) {
      throw validation('tx.step', 'takes (run, undo), both functions, or (name, args, run)')
    }
    const body = named ? { name: first, args: textOfArgs(second) } : {}
    const number = JSON.parse(await this.#ask('transactionStep', this.#id, JSON.stringify(body)))
    // While it was noted the transaction may have ended, and been undone: nobody would undo this one.
    this.#refuseLate()
    let result
    if (!named) this.undos.set(number, () => second(result))
    try {
      result = await run()
    } catch (cause) {
      throw new CallersError(cause)
    }
    return result
  }
}

/** What the caller's own function threw, on its way out. */
class CallersError extends Error {
  constructor(cause) {
    super('the application’s own error')
    this.cause = cause
  }
}

const native = (thrown) => fromNative(thrown, { operation: 'transaction', mayHaveWritten: true })

/** The error of a transaction, told with what became of its steps. */
async function rolledBack(ask, id, thrown) {
  let back
  try {
    back = JSON.parse(await ask('transactionRollBack', id))
  } catch {
    // It was ended elsewhere: by its deadline.
    back = { outcome: 'unknown', message: 'Whether all of it is undone is not known yet; see pending().' }
  }
  const { outcome, rolledBack: gone = [], rollbackFailed = [], rollbackPending = [] } = back
  const own = CalendarError.is(thrown)
  const known = own ? thrown.toJSON() : CalendarError.is(thrown.cause) ? thrown.cause.toJSON() : {}
  const what = known.message ?? 'transaction failed: its function, or a step of its own, threw (see cause).'
  return new CalendarError(
    {
      ...known,
      code: known.code ?? 'INTERNAL',
      retryable: known.retryable ?? false,
      operation: 'transaction',
      outcome,
      message: `${what} ${back.message}`,
      rolledBack: gone,
      rollbackFailed,
      rollbackPending,
      notReached: [],
    },
    { cause: thrown.cause },
  )
}

const endedBy = (code, message) => new CalendarError({ code, outcome: 'unknown', operation: 'transaction', message })

/** The function's answer, or LATE as soon as the signal fires. */
function abortable(working, signal) {
  if (!signal) return working
  const fired = new Promise((resolve) => {
    if (signal.aborted) resolve(LATE)
    else signal.addEventListener('abort', () => resolve(LATE), { once: true })
  })
  return Promise.race([working, fired])
}

function checked(work) {
  if (typeof work !== 'function') throw validation('transaction', 'takes a function and options')
  if (inside.getStore()) {
    throw validation('transaction', 'cannot begin inside another transaction: use the tx of that one')
  }
  return undefined
}

function textOfArgs(args) {
  const text = textOf({ args: args ?? null }, 'args')
  return JSON.stringify(JSON.parse(text).args)
}

function refuseUnknown(unknown) {
  const [key] = Object.keys(unknown)
  if (key !== undefined) throw validation('tx.addAttendee', 'takes eventId, calendarId, attendee and sendUpdates only')
}

module.exports = { Transactions }
