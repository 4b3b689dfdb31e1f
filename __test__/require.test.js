'use strict'

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const root = path.join(__dirname, '..')
const node = (...args) => execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' })

const METHODS = [
  'createEvent',
  'createEvents',
  'verifyEvent',
  'getEvent',
  'listEvents',
  'updateEvent',
  'deleteEvent',
  'addAttendeeToEvent',
  'removeAttendeeFromEvent',
  'enroll',
  'transaction',
  'getRefreshedOAuthClient',
  'requireGoogleAuth',
  'idempotency',
  'idempotencyMiddleware',
  'errorHandler',
  'clearIdempotency',
  'executeWithRetry',
  'withTimeout',
  'isRetryableError',
  'resolveCalendar',
  'logOperation',
  'configure',
  'pending',
  'recover',
  'metrics',
  'prometheus',
  'health',
  'dashboard',
  'close',
]

test('require and import give the same service, names and constants', () => {
  const names = node(
    '--input-type=module',
    '--eval',
    `import * as module from 'surecal'
     import { createRequire } from 'node:module'
     const required = createRequire(process.cwd() + '/index.js')('surecal')
     if (module.default !== required) throw new Error('two services')
     for (const [name, value] of Object.entries(module)) {
       if (name !== 'default' && value !== required[name]) throw new Error(name)
     }
     console.log(Object.keys(module).join())`,
  )
  const exported = names.trim().split(',')
  expect(exported).toEqual(expect.arrayContaining(METHODS))
  const own = Object.keys(require('../index.js')).filter((name) => name !== 'default')
  expect(exported.filter((name) => name !== 'default').sort()).toEqual(own.sort())
})

test('a service has exactly the methods that index.d.ts describes', () => {
  const manual = fs.readFileSync(path.join(root, 'index.d.ts'), 'utf8')
  const [, body] = /export class CalendarService \{([\s\S]*?)\n\}/.exec(manual)
  const described = new Set([...body.matchAll(/^ {2}(\w+)(?:<[^>]+>)?\(/gm)].map(([, name]) => name))
  expect([...described].filter((name) => name !== 'constructor').sort()).toEqual([...METHODS].sort())
})

test('require works without a built addon, and the first use says what to do', () => {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'surecal-'))
  try {
    fs.cpSync(path.join(root, 'index.js'), path.join(copy, 'index.js'))
    fs.cpSync(path.join(root, 'lib'), path.join(copy, 'lib'), { recursive: true })
    const told = node(
      '--eval',
      `const surecal = require(${JSON.stringify(copy)})
       try { new surecal.CalendarService() } catch (error) { console.log(error.code, error.message) }`,
    )
    expect(told).toMatch(/^CONFIGURATION .*npm run build/)
  } finally {
    fs.rmSync(copy, { recursive: true })
  }
})

test('the constants have the old names and values and cannot be changed', () => {
  const surecal = require('../index.js')
  expect(surecal.CALENDAR_ERROR_CODE.VERIFICATION_FAILED).toBe('VERIFICATION_FAILED')
  expect(surecal.CALENDAR_OPERATION.CREATE_EVENT).toBe('CREATE_EVENT')
  expect(surecal.OPERATION_STATUS).toEqual({ SUCCESS: 'SUCCESS', FAILURE: 'FAILURE' })
  expect(surecal.CALENDAR_OPERATION_TIMEOUT).toBe(10000)
  expect(Object.keys(surecal.CALENDAR_RETRY_CONFIG)).toEqual([
    'MAX_RETRIES',
    'BASE_DELAY_MS',
    'BACKOFF_MULTIPLIER',
    'MAX_DELAY_MS',
  ])
  for (const table of ['CALENDAR_ERROR_CODE', 'CALENDAR_OPERATION', 'OPERATION_STATUS', 'CALENDAR_RETRY_CONFIG']) {
    expect(Object.isFrozen(surecal[table])).toBe(true)
  }
})

test('package-lock.json names no registry host', () => {
  const lock = fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8')
  expect(lock).not.toMatch(/"resolved"\s*:/)
})

test('every file of package.json’s exports and files list is there', () => {
  const { exports: map, files } = require('../package.json')
  const targets = JSON.stringify(map).match(/\.\/[\w./-]+\.(?:d\.mts|d\.ts|mjs|json|js)/g)
  const named = files.filter((file) => !/[*]|native/.test(file))
  for (const file of [...targets, ...named]) expect([file, fs.existsSync(path.join(root, file))]).toEqual([file, true])
})
