'use strict'

// The figures by name: what each is, of what it is a share, and how it reads. The table, the report and its definitions
// are made from this alone.

const share = (part, of) => (of === 0 ? null : part / of)

/** @type {{label: string, definition: string, read: (figures: object) => {count?: number, share?: number|null, text?: string}, goal?: 'none'|'all'}[]} */
const ROWS = [
  {
    label: 'Silent failures',
    definition:
      'Operations that were answered "success" at least once, and what the server holds at the end is not what that answer said. Of all operations.',
    read: ({ silent, operations }) => ({ count: silent, share: share(silent, operations) }),
    goal: 'none',
  },
  {
    label: 'Event verification',
    definition: 'Successes that the service says it has read back (verified: true). Of all successes.',
    read: ({ verified, told }) => ({ count: verified, share: share(verified, told) }),
    goal: 'all',
  },
  {
    label: 'Token failures',
    definition:
      'Operations told "failed" to the last because of an access token that a refresh would have replaced: the user’s grant is alive. Of the operations that could succeed.',
    read: ({ tokenFailures, possible }) => ({ count: tokenFailures, share: share(tokenFailures, possible) }),
    goal: 'none',
  },
  {
    label: 'Phantom enrollments',
    definition:
      'Students with a row in the database who are not invited to every event of the class. Of all enrollments.',
    read: ({ phantoms, enrollments }) => ({ count: phantoms, share: share(phantoms, enrollments) }),
    goal: 'none',
  },
  {
    label: 'Duplicate events',
    definition:
      'Live events beyond the first that were made for one class, whose every request carried one key. Per class created.',
    read: ({ duplicates, creates }) => ({ count: duplicates, share: share(duplicates, creates) }),
    goal: 'none',
  },
  {
    label: 'Hanging requests',
    definition: 'Operations of which a request had no answer within 30 seconds. Of all operations.',
    read: ({ hung, operations }) => ({ count: hung, share: share(hung, operations) }),
    goal: 'none',
  },
  {
    label: 'Overall reliability',
    definition:
      'Operations that were told "success", are there once and as asked, with nothing silent or phantom about them. Of the operations that could succeed.',
    read: ({ reliable, possible }) => ({ count: reliable, share: share(reliable, possible) }),
    goal: 'all',
  },
  {
    label: 'Left over',
    definition:
      'Operations never told "success" of which something is there all the same: an event, or an invitation without a row. Of all operations.',
    read: ({ leftOver, operations }) => ({ count: leftOver, share: share(leftOver, operations) }),
    goal: 'none',
  },
  {
    label: 'Told "failed"',
    definition:
      'Operations that could succeed and did not, after every further try. Whether that was true is what the rows above say.',
    read: ({ failed, possible }) => ({ count: failed, share: share(failed, possible) }),
  },
  {
    label: 'Refused for good',
    definition:
      'Operations that cannot succeed (a revoked grant, a read-only calendar, a missing one) and were told so, with nothing left. Of those operations; they count in no row of failures.',
    read: ({ refusedTruthfully, refused }) => ({ count: refusedTruthfully, share: share(refusedTruthfully, refused) }),
    goal: 'all',
  },
  {
    label: 'HTTP calls per operation',
    definition: 'Requests that reached the calendar and token servers, by the servers’ count, over operations.',
    read: ({ httpCallsPerOperation }) => ({ text: httpCallsPerOperation.toFixed(2) }),
  },
  ...[
    ['p50', 'Half'],
    ['p95', '95 %'],
    ['p99', '99 %'],
  ].map(([name, part]) => ({
    label: `Latency ${name.toUpperCase()}`,
    definition: `${part} of all operations, failed and hung ones too, had their last answer after at most this time from the first click, tries and kills included.`,
    read: (figures) => ({ text: seconds(figures[name]) }),
  })),
]

const seconds = (ms) => `${(ms / 1_000).toFixed(2)} s`

const percent = (value) => {
  if (value === 0 || value === 1) return `${value * 100} %`
  // Never rounded to all or nothing: one in ten thousand is 0.01 %, not 0.
  const text = (value * 100).toFixed(2)
  return `${text === '0.00' ? '<0.01' : text === '100.00' ? '>99.99' : text} %`
}

/** A figure as the table has it. */
function textOf(row, figures) {
  const { count, share: part, text } = row.read(figures)
  return text ?? (part === null ? 'none' : `${count} (${percent(part)})`)
}

/** Whether a figure is what the goal asks; null if it asks nothing. */
function isGood(row, figures) {
  if (row.goal === undefined) return null
  const { count, share: part } = row.read(figures)
  if (part === null) return null
  return row.goal === 'none' ? count === 0 : part >= 0.999
}

module.exports = { ROWS, textOf, isGood, percent, seconds }
