'use strict'

// The two fault profiles: how many requests are struck, and what by. The draws are the emulator's own, from its seed.

const before = (fault) => ({ ...fault, when: 'before' })
const after = (fault) => ({ ...fault, when: 'after' })
const status = (code, more = {}) => ({ kind: 'status', status: code, ...more })

const INSERT = ['events.insert']
const WRITES = ['events.insert', 'events.patch', 'events.delete']
const ANY = ['events.insert', 'events.patch', 'events.delete', 'events.get', 'oauth.token']
const EVENTS = ['events.insert', 'events.patch', 'events.delete', 'events.get']
const READS = ['events.get']
/** 2030-01-01: not the time that anybody asked for. */
const ELSEWHERE = { start: { dateTime: '2030-01-01T10:00:00Z' }, end: { dateTime: '2030-01-01T11:00:00Z' } }

/**
 * What goes wrong: the operations concerned, and the weight in either profile. `realistic` is mostly refusals and lost
 * connections, with few writes that Google acknowledges and loses; `harsh` has everything about evenly.
 */
const KINDS = [
  // Refused, nothing done.
  { on: ANY, fault: before(status(503)), realistic: 14, harsh: 4 },
  { on: ANY, fault: before(status(500)), realistic: 8, harsh: 4 },
  { on: ANY, fault: before(status(429)), realistic: 6, harsh: 3 },
  { on: ANY, fault: before(status(429, { retryAfterSeconds: 1 })), realistic: 6, harsh: 3 },
  { on: EVENTS, fault: before(status(403, { reason: 'rateLimitExceeded' })), realistic: 8, harsh: 3 },
  { on: EVENTS, fault: before(status(403, { reason: 'userRateLimitExceeded' })), realistic: 6, harsh: 3 },
  { on: WRITES, fault: { kind: 'precondition' }, realistic: 1, harsh: 4 },
  // Lost on the way there.
  { on: ANY, fault: before({ kind: 'reset' }), realistic: 8, harsh: 5 },
  { on: ANY, fault: before({ kind: 'html' }), realistic: 2, harsh: 4 },
  { on: ANY, fault: before({ kind: 'hang' }), realistic: 3, harsh: 4 },
  // Done, and the answer lost or spoilt.
  { on: WRITES, fault: after(status(503)), realistic: 5, harsh: 5 },
  { on: WRITES, fault: after(status(500)), realistic: 3, harsh: 4 },
  { on: ANY, fault: after({ kind: 'reset' }), realistic: 6, harsh: 5 },
  { on: WRITES, fault: after({ kind: 'html' }), realistic: 1, harsh: 3 },
  { on: ANY, fault: after({ kind: 'hang' }), realistic: 2, harsh: 4 },
  {
    on: ['events.insert', 'events.patch', 'events.get', 'oauth.token'],
    fault: after({ kind: 'truncate' }),
    realistic: 2,
    harsh: 4,
  },
  // Slow.
  { on: ANY, fault: { kind: 'latency', ms: 1_500 }, realistic: 10, harsh: 3 },
  { on: ANY, fault: { kind: 'latency', ms: 3_500 }, realistic: 4, harsh: 3 },
  {
    on: ['events.insert', 'events.patch', 'events.get'],
    fault: { kind: 'drip', everyMs: 20, chunkBytes: 64 },
    realistic: 1,
    harsh: 2,
  },
  { on: WRITES, fault: { kind: 'late', afterMs: 2_500 }, realistic: 1, harsh: 3 },
  { on: WRITES, fault: { kind: 'late', afterMs: 8_000 }, realistic: 1, harsh: 3 },
  // Seen late, or as it was before.
  { on: INSERT, fault: { kind: 'delayedVisibility', ms: 700 }, realistic: 3, harsh: 6 },
  { on: INSERT, fault: { kind: 'delayedVisibility', ms: 1_500 }, realistic: 1, harsh: 5 },
  { on: ['events.patch', 'events.delete'], fault: { kind: 'stale', ms: 700 }, realistic: 3, harsh: 6 },
  { on: READS, fault: { kind: 'stale', ms: 500 }, realistic: 1, harsh: 5 },
  // Acknowledged, and not stored, or stored otherwise.
  { on: WRITES, fault: { kind: 'drop' }, realistic: 1, harsh: 5 },
  { on: INSERT, fault: { kind: 'corrupt' }, realistic: 1, harsh: 5 },
  { on: INSERT, fault: { kind: 'corrupt', fields: { attendees: null } }, realistic: 1, harsh: 5 },
  { on: INSERT, fault: { kind: 'corrupt', fields: ELSEWHERE }, realistic: 1, harsh: 5 },
]

/** The share of requests that a fault strikes. */
const RATES = { realistic: 1 / 6, harsh: 1 / 3 }
const PROFILES = Object.keys(RATES)

/**
 * The rules for the emulator. It asks them in order, so each one's own probability is made for what those before it
 * have left: an operation's requests are struck at the profile's rate, by each kind in proportion to its weight.
 *
 * @param {'realistic'|'harsh'} profile
 * @returns {import('../lib/testing').Rule[]}
 */
function faultsOf(profile) {
  return ANY.flatMap((operation) => {
    const kinds = KINDS.filter(({ on }) => on.includes(operation))
    const sum = kinds.reduce((total, kind) => total + kind[profile], 0)
    let left = 1
    return kinds.map(({ fault, [profile]: weight }) => {
      const share = (RATES[profile] * weight) / sum
      const probability = share / left
      left -= share
      return { operation, probability, fault }
    })
  })
}

module.exports = { faultsOf, PROFILES, RATES }
