'use strict'

const { CalendarError, fromNative, ofCall, validation } = require('./errors')
const { LATE, within } = require('./bounded')
const { nextTicket } = require('./call_answers')

/**
 * After an abort the native part is asked how far the call had come; a caller that left is not kept longer than this.
 */
const ABORT_ANSWER_MS = 25

/** One call of a method: its clock, its signal, and where in the caller's code it was made. */
class Call {
  /** Ends of the waits for callbacks that are open. */
  #waits = new Set()
  #turnedAway = false

  /**
   * @param {string} operation the method's name
   * @param {object} facts `site`: what `siteOf` gave; `writes`: whether it changes a
   *   calendar; `timeoutMs`: for the whole call; `signal`; `opening`: what the messages of its errors begin with
   */
  constructor(operation, { site, writes, timeoutMs, signal, opening }) {
    this.startedAt = performance.now()
    this.operation = operation
    this.writes = writes
    this.opening = opening
    this.timeoutMs = timeoutMs
    this.signal = checkedSignal(signal)
    this.ticket = nextTicket()
    this.sent = false
    this.site = site
  }

  /** Whole milliseconds since the call was made. */
  get elapsedMs() {
    return Math.round(performance.now() - this.startedAt)
  }

  /** Milliseconds left before the deadline; 0 when it has passed. */
  get leftMs() {
    return Math.max(0, this.timeoutMs - (performance.now() - this.startedAt))
  }

  /** A callback's answer, or TIMEOUT or CLOSED with nothing sent. */
  async bounded(promise, name) {
    let end
    const asked = new Promise((resolve, reject) => {
      end = () => resolve(LATE)
      Promise.resolve(promise).then(resolve, reject)
    })
    this.#waits.add(end)
    if (this.#turnedAway) end()
    const answer = await within(asked, this.leftMs)
    this.#waits.delete(end)
    if (answer !== LATE) return answer
    const [code, ended] = this.#turnedAway
      ? ['CLOSED', 'failed: the service was closed']
      : ['TIMEOUT', `timed out after ${this.timeoutMs}ms`]
    throw new CalendarError({
      code,
      outcome: 'not-sent',
      message: `${this.operation} ${ended}: ${name} did not answer. Nothing was sent to Google.`,
    })
  }

  /** The service is closed, and waits no longer for callbacks. */
  turnAway() {
    this.#turnedAway = true
    for (const end of this.#waits) end()
  }

  /**
   * Hands the call to the native part. An abort during the preparation ends it here, so that a call whose caller was
   * told "not-sent" is never sent.
   *
   * @param {(ticket: number) => Promise<string>} send
   */
  async handOver(send) {
    if (this.signal?.aborted) throw this.aborted('not-sent')
    this.sent = true
    try {
      return await send(this.ticket)
    } catch (error) {
      if (CalendarError.is(error)) throw error
      throw fromNative(error, {
        operation: this.operation,
        site: this.site,
        elapsedMs: this.elapsedMs,
        mayHaveWritten: this.writes,
      })
    }
  }

  /** The work's answer, or ABORTED as soon as the signal fires; `cancel` tells the native part. */
  abortable(work, cancel) {
    return this.signal ? this.#untilAborted(work, cancel) : work
  }

  async #untilAborted(work, cancel) {
    const { promise: fired, stop } = firing(this.signal)
    try {
      if ((await Promise.race([work, fired])) !== LATE) return await work
      if (!this.sent) throw this.aborted('not-sent')
      cancel(this.ticket)
      const answer = await within(work, ABORT_ANSWER_MS)
      if (answer !== LATE) return answer // It was already done, and the caller may as well know.
      throw this.aborted(this.writes ? 'unknown' : 'not-sent')
    } finally {
      stop()
      work.catch(() => {}) // Nobody is left to hear it; what it wrote is settled in the background.
    }
  }

  aborted(outcome) {
    return new CalendarError({
      code: 'ABORTED',
      outcome,
      message:
        outcome === 'not-sent'
          ? `${this.operation} was aborted before anything was written.`
          : `${this.operation} was aborted while a write was under way; it is settled in the background and listed by pending() until then.`,
    })
  }

  /** Whatever went wrong, as a CalendarError of this call. */
  failure(error) {
    const known = CalendarError.is(error)
      ? error
      : fromNative(undefined, { operation: this.operation, mayHaveWritten: this.sent && this.writes })
    return ofCall(known, this)
  }
}

/**
 * Where the caller's code called the method `entry`: the frames below it, formatted only if somebody reads them. To be
 * taken first, for each frame of ours that is passed over costs as much as one that is kept.
 */
function siteOf(entry) {
  const site = { __proto__: null } // V8 turns any other object into this kind, at a cost.
  Error.captureStackTrace(site, entry)
  return site
}

function checkedSignal(signal) {
  if (signal === undefined || signal === null) return undefined
  if (typeof signal.aborted === 'boolean' && typeof signal.addEventListener === 'function') return signal
  throw validation('options.signal', 'must be an AbortSignal')
}

/** Resolves to LATE when the signal fires; `stop` takes the listener off. */
function firing(signal) {
  let listener
  const promise = new Promise((resolve) => {
    listener = () => resolve(LATE)
    if (signal.aborted) listener()
    else signal.addEventListener('abort', listener, { once: true })
  })
  return { promise, stop: () => signal.removeEventListener('abort', listener) }
}

module.exports = { Call, siteOf }
