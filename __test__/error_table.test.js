'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { CODES, CALENDAR_ERROR_CODE } = require('../lib/constants')

const read = (name) => fs.readFileSync(path.join(__dirname, '..', name), 'utf8')

test('the types describe every code with its HTTP status and whether it is retryable', () => {
  const [, union] = /export type CalendarErrorCode =([\s\S]*?)\n\n/.exec(read('lib/types/errors.d.ts'))
  const described = [...union.matchAll(/\/\*\* (\d{3})(, retryable)?\. [^\n]*\n {2}\| '([A-Z_]+)'/g)]
  expect(described.map(([, http, retryable, code]) => [code, Number(http), retryable !== undefined])).toEqual(CODES)
})

// One row a code: | `CODE` | 504 | yes | … |
test('the README’s table has every code with its HTTP status and whether it is retryable', () => {
  const rows = [...read('README.md').matchAll(/^\|\s*`([A-Z_]+)`\s*\|\s*(\d{3})\s*\|\s*(yes|no)\s*\|/gm)]
  const table = rows.map(([, code, http, retryable]) => [code, Number(http), retryable === 'yes'])
  expect(table.filter(([code]) => code in CALENDAR_ERROR_CODE).sort()).toEqual([...CODES].sort())
})
