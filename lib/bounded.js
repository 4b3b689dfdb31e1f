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
async function within(promise, ms) {
  if (ms === Infinity) return promise
  let timer
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS), LATE)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * The promise's answer, or a CalendarError TIMEOUT that says "`name` timed out after `ms`ms". Its outcome is `unknown`:
 * what the promise stands for goes on.
 */
async function withTimeout(promise, ms, name = 'Operation') {
  if (!Number.isFinite(ms) || ms < 0) throw validation('ms', 'must be a number of milliseconds, 0 or more')
  const answer = await within(promise, ms)
  if (answer !== LATE) return answer
  throw new CalendarError({
    code: 'TIMEOUT',
    outcome: 'unknown',
    message: `${name} timed out after ${ms}ms`,
    elapsedMs: ms,
  })
}

module.exports = { LATE, within, withTimeout }
