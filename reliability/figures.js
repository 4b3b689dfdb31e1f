'use strict'

/** The value below which this share of them lies; the nearest one that was measured. */
function percentile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))]
}

/** Told by a refused token that the user's grant could have replaced. */
function isTokenFailure({ outcome }) {
  if (outcome.told === 'success') return false
  const last = outcome.answers.filter(({ status }) => status !== 409).at(-1)
  return last !== undefined && (last.status === 401 || /^GOOGLE_AUTH/.test(last.body.code ?? ''))
}

const isReliable = ({ outcome, there, copies, silent, phantom }) =>
  outcome.told === 'success' && there && copies === 1 && !silent && !phantom

/**
 * The figures of one contestant in one profile. Operations that Google refuses for good are told apart: they count
 * among the silent failures, left-overs and hangs, and in nothing else.
 *
 * @param {import('./audit').Finding[]} findings
 * @param {{httpCalls: number, tokenCalls: number, kills: number}} run
 */
function figuresOf(findings, { httpCalls, kills, cut, seconds }) {
  const possible = findings.filter(({ step }) => step.refusal === null)
  const refused = findings.filter(({ step }) => step.refusal !== null)
  const creates = possible.filter(({ step }) => step.kind === 'create')
  const enrollments = possible.filter(({ step }) => step.kind === 'enroll')
  const told = possible.filter(({ outcome }) => outcome.told === 'success')
  const count = (list, test) => list.filter(test).length
  const times = findings.map(({ outcome }) => outcome.elapsedMs).sort((one, other) => one - other)
  return {
    operations: findings.length,
    possible: possible.length,
    creates: creates.length,
    enrollments: enrollments.length,
    kills,
    cut,
    seconds,
    silent: count(findings, ({ silent }) => silent),
    verified: count(told, ({ verified }) => verified),
    told: told.length,
    tokenFailures: count(possible, isTokenFailure),
    phantoms: count(enrollments, ({ phantom }) => phantom),
    duplicates: creates.reduce((sum, { copies }) => sum + Math.max(0, copies - 1), 0),
    hung: count(findings, ({ outcome }) => outcome.hung),
    leftOver: count(findings, ({ leftOver }) => leftOver),
    failed: count(possible, ({ outcome }) => outcome.told !== 'success'),
    reliable: count(possible, isReliable),
    refused: refused.length,
    refusedTruthfully: count(refused, ({ outcome, copies }) => outcome.told === 'failed' && copies === 0),
    httpCallsPerOperation: httpCalls / findings.length,
    p50: percentile(times, 0.5),
    p95: percentile(times, 0.95),
    p99: percentile(times, 0.99),
    slowest: times.at(-1),
    /** For the plot: every hundredth part of the operations. */
    curve: Array.from({ length: 200 }, (_, index) => percentile(times, (index + 1) / 200)),
  }
}

/** What the goal asks of surecal, in each profile. */
const LEAST_RELIABILITY = 0.999
function missedGoals(figures) {
  const zeros = ['silent', 'duplicates', 'phantoms', 'hung', 'leftOver'].filter((name) => figures[name] > 0)
  const missed = zeros.map((name) => `${name} ${figures[name]}`)
  if (figures.reliable < figures.possible * LEAST_RELIABILITY) {
    missed.push(`reliable ${figures.reliable} of ${figures.possible}`)
  }
  if (figures.refusedTruthfully < figures.refused) {
    missed.push(`told the truth of a refusal ${figures.refusedTruthfully} times of ${figures.refused}`)
  }
  return missed
}

module.exports = { figuresOf, percentile, missedGoals, isReliable, isTokenFailure }
