'use strict'

/** Settings that the facade itself goes by; all the rest is the native part's. */
const OWN = [
  'timeoutMs',
  'attemptTimeoutMs',
  'attendees',
  'retry',
  'idempotency',
  'tokens',
  'clientId',
  'clientSecret',
  'redirectUri',
  'tokenUrl',
]

/** Settings that are objects: a new one is laid over the old. */
const LAYERED = ['attendees', 'retry', 'tokens', 'idempotency']

/** What a new configuration says of them. */
function layOver(settings, plain) {
  for (const key of OWN) {
    if (plain[key] === undefined || plain[key] === null) continue
    settings[key] = LAYERED.includes(key) ? { ...settings[key], ...plain[key] } : plain[key]
  }
}

module.exports = { layOver }
