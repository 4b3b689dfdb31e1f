'use strict'

// What both old services, the hand-written one and the guide's, take for worth a repeat, and how long they wait.

const CALENDAR_RETRY_CONFIG = { MAX_RETRIES: 3, BASE_DELAY_MS: 200, BACKOFF_MULTIPLIER: 2, MAX_DELAY_MS: 5000 }
const RETRYABLE_CODES = ['ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT', 'EPIPE', 'EAI_AGAIN']
const RETRYABLE_STATUSES = [429, 500, 502, 503, 504]
const RATE_LIMIT_REASONS = ['rateLimitExceeded', 'userRateLimitExceeded']

function isRetryableError(error) {
  if (RETRYABLE_CODES.includes(error.code)) return true
  const status = error.response?.status
  if (RETRYABLE_STATUSES.includes(status)) return true
  const reason = error.response?.data?.error?.errors?.[0]?.reason
  return status === 403 && RATE_LIMIT_REASONS.includes(reason)
}

/** Milliseconds before the n-th repeat. */
function retryDelay(retries) {
  const { BASE_DELAY_MS, BACKOFF_MULTIPLIER, MAX_DELAY_MS } = CALENDAR_RETRY_CONFIG
  return Math.min(BASE_DELAY_MS * Math.pow(BACKOFF_MULTIPLIER, retries), MAX_DELAY_MS)
}

module.exports = { CALENDAR_RETRY_CONFIG, isRetryableError, retryDelay }
