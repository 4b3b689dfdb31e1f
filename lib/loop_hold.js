'use strict'

const { setImmediate } = require('node:timers/promises')

/** Milliseconds a process stays up for open writes and clean-up after its last call was answered. */
const DRAIN_MS = 5000
/** A native promise cannot be taken back, so the hold is made of short ones: a hold let go lasts this much longer. */
const HOP_MS = 100

/**
 * Keeps the event loop alive while a write or a clean-up is open, and no longer than DRAIN_MS after the last call.
 * One native promise does it, however many calls there were; an idle service holds nothing.
 */
class LoopHold {
  #native
  #until = 0
  #holding = false
  #released = false

  constructor(native) {
    this.#native = native
  }

  /** To be told after every call. */
  touch() {
    if (this.#released || this.#native.openWork() === 0) return
    this.#until = performance.now() + DRAIN_MS
    if (!this.#holding) this.#hold()
  }

  /** The service is closed and has waited as long as it was told to: nothing is held any more. */
  release() {
    this.#released = true
  }

  async #hold() {
    this.#holding = true
    try {
      for (;;) {
        const left = this.#until - performance.now()
        if (left <= 0 || this.#released || this.#native.openWork() === 0) break
        await this.#native.settled(Math.min(Math.ceil(left), HOP_MS))
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
