'use strict'

const { LONGEST_TIMER_MS } = require('./bounded')

/** Tickets are unique in a process, and above 0. */
let lastTicket = 0
const nextTicket = () => (lastTicket = (lastTicket % 0x7fffffff) + 1)

/** What comes back through the native part's callback does not keep the event loop up; this does while calls wait. */
let stay
let waitingCalls = 0

/** Calls that were handed to the native part, each until its answer comes. */
class CallAnswers {
  #waiting = new Map()

  /**
   * @param {(ticket: number) => unknown} begin begins the call under its ticket. What it gives by itself is the answer;
   *   the native part's methods give nothing, and are answered by `deliver`
   * @returns {Promise<string>}
   */
  of(begin, ticket = nextTicket()) {
    const given = begin(ticket)
    if (given !== undefined) return given
    if (waitingCalls === 0) stays()
    waitingCalls += 1
    return new Promise((resolve, reject) => {
      this.#waiting.set(ticket, { resolve, reject })
    })
  }

  /** The answer of a call: the text, or a rejection with it. */
  deliver(ticket, text, failed) {
    const { resolve, reject } = this.#waiting.get(ticket)
    this.#waiting.delete(ticket)
    waitingCalls -= 1
    if (waitingCalls === 0) stay.unref()
    if (failed) reject(new Error(text))
    else resolve(text)
  }
}

function stays() {
  stay ??= setInterval(() => {}, LONGEST_TIMER_MS)
  stay.ref()
}

module.exports = { CallAnswers, nextTicket }
