'use strict'

// Every duration of a run, in milliseconds. Nothing is shortened in a full run: each contestant has the limits that its
// own text gives it. `--quick` shortens those of all contestants by one factor (see `limitsAt`).

/** A round trip to Google. */
const LATENCY_MS = 20

const LIMITS = {
  /** surecal's own default for a call. */
  surecalCallMs: 10_000,
  /** What its backend sets for crowds: an enrollment as a whole (10 s), one attendee in it (5 s), one exchange (4 s). */
  surecalEnrollMs: 20_000,
  surecalAttendeeMs: 10_000,
  surecalExchangeMs: 2_000,
  /** And this (30 s), since a backend that is killed fifty times wants its claims back sooner. */
  surecalLeaseMs: 5_000,
  /** CALENDAR_OPERATION_TIMEOUT of the fixes. */
  asWrittenCallMs: 10_000,
  /** Silence after which the kernel takes a connection for dead: "TCP level (30+ seconds)". */
  tcpMs: 30_000,
  /** A request without an answer for this long hangs; its sender gives up. */
  hungMs: 30_000,
}

/** The same, all shortened by one factor. surecal's lease has a least value of its own. */
const limitsAt = (scale) =>
  Object.fromEntries(
    Object.entries(LIMITS).map(([name, ms]) => [
      name,
      Math.max(Math.round(ms * scale), name === 'surecalLeaseMs' ? 1_000 : 1),
    ]),
  )

module.exports = { LATENCY_MS, LIMITS, limitsAt }
