'use strict'

const PLAIN = { bold: String, good: String, bad: String, dim: String }
const COLOURED = {
  bold: (text) => `\x1b[1m${text}\x1b[22m`,
  good: (text) => `\x1b[32m${text}\x1b[39m`,
  bad: (text) => `\x1b[31m${text}\x1b[39m`,
  dim: (text) => `\x1b[2m${text}\x1b[22m`,
}

/** Colours for a terminal that wants them. */
const inkFor = (stream) => (stream.isTTY && !process.env.NO_COLOR ? COLOURED : PLAIN)

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`
const LABEL = 20
const MEANING = 51
const COLUMN = 12

const ROWS = [
  ['classes asked for', 'each by a double click with one idempotency key', ({ asked }) => [asked, null]],
  ['live right', 'in the calendar, as asked', ({ asked, liveRight }) => [liveRight, liveRight === asked]],
  ['duplicates', 'further events for the same class', ({ duplicates }) => [duplicates, duplicates === 0]],
  ['silent failures', 'answered "created", but missing or wrong', ({ silent }) => [silent, silent === 0]],
  ['left-over', 'answered "failed" to the last, yet in the calendar', ({ leftOver }) => [leftOver, leftOver === 0]],
  ['students enrolling', 'each on all lessons of a course', ({ students }) => [students, null]],
  [
    'right',
    'on every lesson; or told "failed", and on none',
    ({ students, enrolledRight }) => [enrolledRight, enrolledRight === students],
  ],
  ['half enrolled', 'on some lessons, and not on others', ({ halfEnrolled }) => [halfEnrolled, halfEnrolled === 0]],
  [
    'token failures',
    'answers "failed" for want of a Google token',
    ({ tokenFailures }) => [tokenFailures, tokenFailures === 0],
  ],
  ['slowest answer', '', ({ slowestMs }) => [seconds(slowestMs), null]],
]

/** The one table: both audits, side by side. */
function table({ before, surecal }, ink = PLAIN) {
  const cell = ([value, isGood]) => {
    const text = String(value).padStart(COLUMN)
    if (isGood === null) return text
    return isGood ? ink.good(text) : ink.bad(text)
  }
  const line = `  ${'─'.repeat(LABEL + MEANING + 2 * COLUMN)}`
  const head = `  ${' '.repeat(LABEL + MEANING)}${ink.bold('before'.padStart(COLUMN))}${ink.bold('surecal'.padStart(COLUMN))}`
  const rows = ROWS.map(
    ([label, meaning, read]) =>
      `  ${label.padEnd(LABEL)}${ink.dim(meaning.padEnd(MEANING))}${cell(read(before))}${cell(read(surecal))}`,
  )
  return [head, line, ...rows, line].join('\n')
}

module.exports = { table, inkFor, seconds }
