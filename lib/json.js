'use strict'

const { validation } = require('./errors')

const PLAIN_NAME = /^[A-Za-z][A-Za-z0-9_.]{0,63}$/

/** Refuses what JSON.stringify turns into null without a word: NaN and the infinities. */
function finiteOnly(field) {
  return (key, value) => {
    if (typeof value !== 'number' || Number.isFinite(value)) return value
    throw validation(
      PLAIN_NAME.test(key) && !/^\d/.test(key) ? `${field}.${key}` : field,
      'must hold finite numbers only',
    )
  }
}

function stringify(value, field, replacer) {
  try {
    return JSON.stringify(value, replacer)
  } catch (error) {
    if (error?.code === 'VALIDATION_FAILED') throw error
    // A cycle, a BigInt, or a toJSON or getter that throws; the thrown text may hold values and is not repeated.
    throw validation(field, 'cannot be written as JSON (a self-reference, a BigInt, or a toJSON or getter that throws)')
  }
}

/**
 * The JSON text of a caller's object. `open` is the character it must begin with: `{` or `[`. Classes with toJSON
 * (Mongoose documents, Dates inside) are welcome.
 */
function textOf(value, field, open = '{') {
  const text = value !== null && typeof value === 'object' ? stringify(value, field) : undefined
  if (typeof text !== 'string' || text[0] !== open) {
    throw validation(field, open === '[' ? 'must be an array' : 'must be an object')
  }
  // A replacer makes stringify several times slower, so it runs only where a null might have been a NaN.
  if (text.includes('null')) stringify(value, field, finiteOnly(field))
  return text
}

/**
 * A copy of a caller's options without what stays on this side: the keys `kept` are undefined in it. `undefined` and `null` are no options.
 *
 * @param {unknown} options
 * @param {string} field
 * @param {string[]} kept keys that do not cross
 */
function crossingOptions(options, field, kept = []) {
  if (options === undefined || options === null) return {}
  if (typeof options !== 'object' || Array.isArray(options)) throw validation(field, 'must be an object')
  try {
    const copy = { ...options }
    for (const key of kept) if (key in copy) copy[key] = undefined // To delete it is slower, and so is what is left.
    return copy
  } catch {
    throw validation(field, 'must not have a getter that throws')
  }
}

/** What is needed of the options before they are checked. */
function peeked(options) {
  if (options === null || typeof options !== 'object') return {}
  try {
    const { context, signal, timeoutMs } = options
    return { context, signal, timeoutMs }
  } catch {
    return {} // A getter that throws is told as a fault of the options later.
  }
}

module.exports = { textOf, crossingOptions, peeked }
