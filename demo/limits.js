'use strict'

/**
 * One HTTP exchange with Google may take this long, for both services. In production surecal gives it 4 s, and the old
 * service, which has no timeout, waits for TCP: 30 s and more. No fault here lasts longer and then ends well, so the
 * shortening saves the reader's time and changes no outcome.
 */
const EXCHANGE_LIMIT_MS = 1_500

/** A round trip to Google. */
const LATENCY_MS = 30

/** In the middle of the rush every access token's hour is over. */
const TOKENS_EXPIRE_AFTER_MS = 2_000

/** After the last answer: clean-up in the background and late writes come to rest. */
const SETTLE_LIMIT_MS = 20_000
const SETTLE_POLL_MS = 100

/** Whoever was told "failed" by both clicks reads the message and tries once more, with the same key. */
const READS_THE_ERROR_MS = 1_000

/** The demo gives up rather than run longer. */
const WHOLE_LIMIT_MS = 57_000

module.exports = {
  EXCHANGE_LIMIT_MS,
  LATENCY_MS,
  TOKENS_EXPIRE_AFTER_MS,
  SETTLE_LIMIT_MS,
  SETTLE_POLL_MS,
  READS_THE_ERROR_MS,
  WHOLE_LIMIT_MS,
}
