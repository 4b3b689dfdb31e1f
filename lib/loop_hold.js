'use strict'

const { setImmediate } = require('node:timers/promises')

/** Milliseconds a process stays up for open writes and clean-up after its last call was answered. */
const DRAIN_MS = 5000

/**
 * Keeps the event loop alive while a write or a clean-up is open, and no longer than DRAIN_MS after the last call.
 * One native promise does it, however many calls there were; an idle service holds nothing.
 */
class LoopHold {
  #native
  #until = 0
  #holding = false

  constructor(native) {
    this.#native = native
  }

  /** To be told after every call. */
  touch() {
    if (this.#native.openWork() === 0) return
    this.#until = performance.now() + DRAIN_MS
    if (!this.#holding) this.#hold()
  }

  async #hold() {
    this.#holding = true
    try {
      for (;;) {
        const left = this.#until - performance.now()
        if (left <= 0 || this.#native.openWork() === 0) break
        await this.#native.settled(Math.ceil(left))
      }
      // The notice of what was settled comes through a callback that holds nothing; one turn lets it in.
      await setImmediate()
    } catch {
      // A native promise that fails cannot hold the loop; the journal still knows the work.
    } finally {
      this.#holding = false
    }
  }
}

module.exports = { LoopHold, DRAIN_MS }
