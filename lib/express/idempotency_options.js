'use strict'

const { configuration } = require('../errors')
const { SAFE_HEADERS, NEVER_REPLAYED, isKeepable } = require('./stored_answer')
const { printOf } = require('./request_print')

const MIB = 1024 * 1024

const HOUR_MS = 3600000

const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]{1,64}$/
const OPTION_NAME = /^\w{1,64}$/

const isText = (value) => typeof value === 'string'
const isListOf = (fits) => (value) => Array.isArray(value) && value.every(fits)
const isFunction = (value) => typeof value === 'function'
const isBoolean = (value) => typeof value === 'boolean'
const isOneOf = (...words) => [(value) => words.includes(value), `must be ${words.map((w) => `'${w}'`).join(' or ')}`]
const isMs = [
  (value) => Number.isFinite(value) && value >= 1000 && value <= 30 * 24 * HOUR_MS,
  'must be 1000 ms to 30 days',
]

/** Each option: what it is when it is not given, what fits it, and what to say when it does not. */
const OPTIONS = {
  scope: [(req) => req.userId ?? req.user?.id ?? req.user?._id, isFunction, 'must be a function'],
  required: [false, isBoolean, 'must be true or false'],
  methods: [['POST', 'PUT', 'PATCH', 'DELETE'], isListOf(isText), 'must be a list of HTTP methods'],
  fingerprint: [printOf, isFunction, 'must be a function'],
  headers: [
    ['Idempotency-Key', 'X-Idempotency-Key'],
    (value) => isListOf((name) => isText(name) && HEADER_NAME.test(name))(value) && value.length > 0,
    'must be a list of header names',
  ],
  replayable: [
    [],
    isListOf(isKeepable),
    'must list statuses of 200 to 499; 206, 401, 403, 408, 409, 425 and 429 are never kept',
  ],
  safeHeaders: [
    [],
    isListOf((name) => isText(name) && HEADER_NAME.test(name) && !NEVER_REPLAYED.includes(name.toLowerCase())),
    `must list header names; never replayed are ${NEVER_REPLAYED.join(', ')}`,
  ],
  maxBodyBytes: [MIB, (value) => Number.isInteger(value) && value >= 0 && value <= 8 * MIB, 'must be 0 to 8388608'],
  conflict: ['guide', ...isOneOf('guide', 'problem+json')],
  storeDown: ['refuse', ...isOneOf('refuse', 'allow')],
  ttlMs: [undefined, ...isMs],
  orphanMs: [120000, ...isMs],
}

/**
 * The options of one `idempotency(…)`, checked and filled up. Header names are in lower case, methods in upper case.
 *
 * @throws {CalendarError} CONFIGURATION
 */
function settingsOf(options) {
  const given = options ?? {}
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw configuration('The options of idempotency must be an object.')
  }
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(OPTIONS, name)) continue
    const shown = OPTION_NAME.test(name) ? name : '(a name with unusual characters)'
    throw configuration(`idempotency: the option ${shown} is not known.`)
  }
  const settings = {}
  for (const [name, [otherwise, fits, what]] of Object.entries(OPTIONS)) {
    const value = given[name]
    if (value !== undefined && !fits(value)) throw configuration(`idempotency: the option ${name} ${what}.`)
    settings[name] = value ?? otherwise
  }
  const lower = (names) => names.map((name) => name.toLowerCase())
  return {
    ...settings,
    methods: settings.methods.map((method) => method.toUpperCase()),
    headers: lower(settings.headers),
    safeHeaders: [...new Set([...SAFE_HEADERS, ...lower(settings.safeHeaders)])],
  }
}

module.exports = { settingsOf }
