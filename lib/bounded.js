'use strict'

const { CalendarError, validation } = require('./errors')

/** What `within` answers when the time is over. */
const LATE = Symbol('late')

/** setTimeout fires at once for anything longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/**
 * The promise's answer, or LATE after `ms`. The timer never outlives the answer; a rejection after LATE is swallowed,
 * for nobody is left to hear it. Infinity needs no timer.
 */
function within(promise, ms) {
  if (ms === Infinity) return promise
  // Two promises: a race, and an async function around it, take five.
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS), LATE)
    const settling = (settle) => (answer) => {
      clearTimeout(timer)
      settle(answer)
    }
    Promise.resolve(promise).then(settling(resolve), settling(reject))
  })
}

/**
 * The promise's answer, or a CalendarError TIMEOUT that says "`name` timed out after `ms`ms". Its outcome is `unknown`:
 * what the promise stands for goes on.
 */
async function withTimeout(promise, ms, name = 'Operation') {
  if (!Number.isFinite(ms) || ms < 0) throw validation('ms', 'must be a number of milliseconds, 0 or more')
  const answer = await within(promise, ms)
  if (answer !== LATE) return answer
  throw timedOut(name, ms)
}

/** The error of what did not answer in `ms`, and goes on. */
function timedOut(name, ms) {
  return new CalendarError({
    code: 'TIMEOUT',
    outcome: 'unknown',
    message: `${name} timed out after ${ms}ms`,
    elapsedMs: ms,
  })
}

module.exports = { LATE, LONGEST_TIMER_MS, timedOut, within, withTimeout }
