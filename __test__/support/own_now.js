'use strict'

/** How often this process should come to run, in ms; a gap counts for at most AT_MOST_MS. */
const TICK_MS = 10
const AT_MOST_MS = 15

let own = 0
let last = performance.now()
const counted = () => own + Math.min(performance.now() - last, AT_MOST_MS)
setInterval(() => {
  own = counted()
  last = performance.now()
}, TICK_MS).unref()

/**
 * Like `performance.now()`, but it stands still while a busy machine does not let this process run. For "in time" and "at
 * once": what was not given a turn is not late.
 */
const ownNow = () => counted()

module.exports = { ownNow }
