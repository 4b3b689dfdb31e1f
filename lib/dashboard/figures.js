'use strict'

const { CalendarError } = require('../errors')
const { LATE, within } = require('../bounded')

/** However many look on, the store is asked for open work once in this time. */
const PENDING_MS = 1000
/** How long one answer waits for the store. The figures of this process do not hang on it. */
const PATIENCE_MS = 500
/** Open entries that are shown. */
const MOST = 100

/** What the page shows: `metrics()`, and of `pending()` what names no user and no calendar. */
class Figures {
  #metrics
  #pending
  #asked = null
  #askedAt = -Infinity
  #last = null

  /** @param {{metrics: () => object, pending: () => Promise<object[]>}} service */
  constructor({ metrics, pending }) {
    this.#metrics = metrics
    this.#pending = pending
  }

  /** `{ status, body }`; a service that is not configured yet has no figures. */
  async now() {
    try {
      const pending = await this.#openWork()
      return { status: 200, body: { at: Date.now(), metrics: this.#metrics(), pending } }
    } catch (error) {
      const code = CalendarError.is(error) ? error.code : 'INTERNAL'
      return { status: 503, body: { code } }
    }
  }

  /** The open entries; null while the store does not answer. */
  async #openWork() {
    if (this.#asked === null && performance.now() - this.#askedAt >= PENDING_MS) {
      this.#askedAt = performance.now()
      this.#asked = this.#ask()
    }
    if (this.#asked && (await within(this.#asked, PATIENCE_MS)) === LATE) return null
    return this.#last
  }

  async #ask() {
    try {
      const entries = await this.#pending()
      this.#last = { count: entries.length, entries: entries.slice(0, MOST).map(shown) }
    } catch {
      this.#last = null
    } finally {
      this.#asked = null
    }
  }
}

const shown = ({ operation, eventId, since, rounds, lastError }) => ({ operation, eventId, since, rounds, lastError })

module.exports = { Figures }
