'use strict'

const { LATE, within } = require('./bounded')

/** The calls of a service that were begun and have not ended: `{ call }`, once there is one. */
class CallsAtWork {
  #calls = new Set()
  #watches = new Set()

  begin(call) {
    this.#calls.add(call)
  }

  end(call) {
    this.#calls.delete(call)
    for (const watch of this.#watches) watch(call)
  }

  /** Resolves when all calls that are at work now have ended; later ones are not waited for. */
  async ended() {
    if (this.#calls.size === 0) return
    const left = new Set(this.#calls)
    await new Promise((resolve) => {
      const watch = (call) => {
        left.delete(call)
        if (left.size > 0) return
        this.#watches.delete(watch)
        resolve()
      }
      this.#watches.add(watch)
    })
  }

  /**
   * Waits for the calls at work, at most `ms`; those that wait for a callback even then end.
   *
   * @returns {Promise<number>} the milliseconds that are left of it
   */
  async drained(ms) {
    if (this.#calls.size === 0) return ms
    const startedAt = performance.now()
    if ((await within(this.ended(), ms)) !== LATE) return Math.max(0, ms - (performance.now() - startedAt))
    for (const { call } of this.#calls) call?.turnAway()
    return 0
  }
}

module.exports = { CallsAtWork }
