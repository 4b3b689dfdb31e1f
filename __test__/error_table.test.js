'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { CODES, CALENDAR_ERROR_CODE, CALENDAR_OPERATION } = require('../lib/constants')

const read = (name) => fs.readFileSync(path.join(__dirname, '..', name), 'utf8')

test('the types describe every code with its HTTP status and whether it is retryable', () => {
  const [, union] = /export type CalendarErrorCode =([\s\S]*?)\n\n/.exec(read('lib/types/errors.d.ts'))
  const described = [...union.matchAll(/\/\*\* (\d{3})(, retryable)?\. [^\n]*\n {2}\| '([A-Z_]+)'/g)]
  expect(described.map(([, http, retryable, code]) => [code, Number(http), retryable !== undefined])).toEqual(CODES)
})

// One row a code: | `CODE` | 504 | yes | … |
test('the reference’s table has every code with its HTTP status and whether it is retryable', () => {
  const rows = [...read('docs/reference.md').matchAll(/^\|\s*`([A-Z_]+)`\s*\|\s*(\d{3})\s*\|\s*(yes|no)\s*\|/gm)]
  const table = rows.map(([, code, http, retryable]) => [code, Number(http), retryable === 'yes'])
  expect(table.filter(([code]) => code in CALENDAR_ERROR_CODE).sort()).toEqual([...CODES].sort())
})

test('the reference says of every code what it means and what to do', () => {
  for (const code of Object.keys(CALENDAR_ERROR_CODE)) {
    const row = read('docs/reference.md')
      .split('\n')
      .find((line) => line.startsWith(`| \`${code}\` |`))
    const [meaning, next] = row.split(/(?<!\\)\|/).slice(4, 6)
    expect([code, meaning.trim() !== '', next.trim() !== '', row.includes('yet.')]).toEqual([code, true, true, false])
  }
})

test('the types name every operation that records tell of', () => {
  const [, union] = /export type CalendarOperation =\n([\s\S]*?)\n\n/.exec(read('lib/types/callbacks.d.ts'))
  expect([...union.matchAll(/'(\w+)'/g)].map(([, name]) => name)).toEqual(Object.keys(CALENDAR_OPERATION))
})
