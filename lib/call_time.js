'use strict'

/** Methods over several events. */
const BATCHES = ['createEvents', 'enroll']

/** A batch has this much more time for each event, and this much at most (or its own timeoutMs, if that is longer). */
const BATCH_MS_PER_EVENT = 500
const BATCH_MS_AT_MOST = 60000

/**
 * The time of a whole call in milliseconds, as the native part counts it too.
 *
 * @param {object} plan `operation`, `recorded`, and `timeoutMs`, a function that gives the method's usual time
 * @param {unknown} asked the caller's own `timeoutMs`
 * @param {number} usual what calls have
 */
function wholeTime({ operation, recorded, timeoutMs }, asked, usual) {
  const whole = Number.isFinite(asked) && asked > 0 ? asked : (timeoutMs?.() ?? usual)
  if (!BATCHES.includes(operation) || recorded.length < 2) return whole
  return Math.min(whole + BATCH_MS_PER_EVENT * recorded.length, Math.max(whole, BATCH_MS_AT_MOST))
}

module.exports = { wholeTime }
