'use strict'

// TROUBLESHOOTING.md tells of every error code and of every figure there is, and of nothing else.

const fs = require('node:fs')
const path = require('node:path')
const { CALENDAR_ERROR_CODE } = require('surecal')
const { lesson } = require('./support/lessons')
const { setStage } = require('./support/stage')

const stage = setStage({ seed: 615 })
const text = fs.readFileSync(path.join(__dirname, '..', 'TROUBLESHOOTING.md'), 'utf8')
const section = (title) => text.split(`\n## ${title}\n`)[1].split('\n## ')[0]

test('every error code has its causes and its next step, and no other word has', () => {
  const told = section('By error')
    .split('\n### ')
    .slice(1)
    .map((entry) => [entry.split('\n')[0], entry])
  expect(told.map(([code]) => code).sort()).toEqual(Object.keys(CALENDAR_ERROR_CODE).sort())
  for (const [, entry] of told) expect(entry).toMatch(/\n\*\*Cause\.\*\* \S[^*]+\n\*\*Next\.\*\* \S[^*]+$/)
})

/** The figures of a snapshot: those of one method stand for all, and the words inside a count by word are no names. */
function figuresOf({ operations, google, ...others }) {
  const [method] = Object.values(operations)
  return [
    ...Object.keys(method).map((name) => `operations.*.${name}`),
    ...Object.keys(google).map((name) => `google.${name}`),
    ...Object.keys(others),
  ]
}

test('every figure of metrics() has a row with when it alarms, the cause and the next step, and no other word has', async () => {
  const user = await stage.user()
  const service = stage.service()
  await service.createEvent(user.email, user.credentials, lesson())
  const rows = section('By figure')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
  expect(rows.map(([, name]) => name.replaceAll('`', '')).sort()).toEqual(figuresOf(service.metrics()).sort())
  for (const [, name, when, cause, next] of rows) {
    // A count by code leads to the code's own causes.
    expect([name, when !== '', cause !== '' || /fail/i.test(name), next !== '']).toEqual([name, true, true, true])
  }
})

test('every word by which exchanges are stopped is told, but for those that are no fault', () => {
  const send = fs.readFileSync(path.join(__dirname, '..', 'src', 'google', 'tally.rs'), 'utf8')
  const [, words] = /Exchanges that ended in an error, by what ended them: ([\s\S]*?)\.\n {4}pub stops/.exec(send)
  const stops = [...words.matchAll(/`(\w+)`/g)].map(([, word]) => word)
  expect(stops.length).toBeGreaterThan(6)
  for (const stop of stops) {
    if (['final', 'cancelled'].includes(stop)) continue
    expect([stop, section('By figure').includes(`\`${stop}\``)]).toEqual([stop, true])
  }
})

test('every kind of network fault has words on the dashboard, and those that last are told in the text', () => {
  const classify = fs.readFileSync(path.join(__dirname, '..', 'src', 'policy', 'classify.rs'), 'utf8')
  const [, names] = /fn name\(self\) -> &'static str \{\n {8}match self \{\n {12}Self::Connect ([\s\S]*?)\n {8}\}/.exec(
    classify,
  )
  const kinds = [...names.matchAll(/"(\w+)"/g)].map(([, kind]) => kind)
  expect(kinds.length).toBeGreaterThan(8)
  const page = fs.readFileSync(path.join(__dirname, '..', 'lib', 'dashboard', 'page', 'table.js'), 'utf8')
  const [, words] = /const FAULTS = \{([\s\S]*?)\n\}/.exec(page)
  expect([...words.matchAll(/^ {2}(\w+):/gm)].map(([, kind]) => kind).sort()).toEqual(kinds.sort())
  const [, entry] = section('By error').split('### NETWORK_ERROR')
  for (const kind of ['untrusted', 'proxyAuth']) expect(entry.split('\n### ')[0]).toContain(`\`${kind}\``)
})
