'use strict'

const { createHash } = require('node:crypto')

/** Longer is no key but an attempt to fill the store. */
const LONGEST_KEY = 255

/** A structured-field string: the draft's form of the header. */
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/
const BARE = /^[\x21\x23-\x7e][\x20-\x7e]*$/

/** A JSON body without content ({} or []) is not longer than this. */
const EMPTY_JSON = 2

/**
 * The idempotency key of a request: `{ key }`, `{}` when there is none, or `{ fault }` in words.
 *
 * @param {object} req
 * @param {string[]} names header names in lower case; several may be there, but with one key
 */
function keyOf(req, names) {
  let key
  for (const name of names) {
    const value = req.headers[name]
    if (value === undefined) continue
    const read = readKey(String(value).trim())
    if (read === undefined) {
      return { fault: `The header ${name} must hold 1 to ${LONGEST_KEY} visible ASCII characters, bare or in quotes.` }
    }
    if (key !== undefined && read !== key) return { fault: 'The headers hold two different idempotency keys.' }
    key = read
  }
  return { key }
}

function readKey(text) {
  const quoted = QUOTED.exec(text)
  const key = quoted ? quoted[1].replace(/\\(["\\])/g, '$1') : text
  const fits = key.length > 0 && key.length <= LONGEST_KEY && (quoted !== null || BARE.test(key))
  return fits ? key : undefined
}

/** What a claim is for, beside scope and key. The query is no part of it, but of the fingerprint. */
const routeOf = (req) => `${req.method} ${urlOf(req).path}`

/** As the client sent it: `req.url` is cut down by every router on the way. */
function urlOf(req) {
  const url = req.originalUrl ?? req.url
  const at = url.indexOf('?')
  return at < 0 ? { path: url, query: '' } : { path: url.slice(0, at), query: url.slice(at + 1) }
}

/**
 * What tells two requests apart: method, path, query and body. The order of keys in JSON and of parameters in the query
 * says nothing; white space is gone with the parsing.
 */
function printOf(req) {
  const { path, query } = urlOf(req)
  return digest([req.method, path, query.split('&').sort().join('&'), ...bodyParts(req)])
}

function bodyParts({ body, rawBody }) {
  if (typeof body === 'string' || body instanceof Uint8Array) return ['raw', body]
  const parsed = body !== undefined && body !== null && !isEmpty(body)
  if (!parsed && (typeof rawBody === 'string' || rawBody instanceof Uint8Array)) return ['raw', rawBody]
  return body === undefined ? ['none'] : ['json', canonical(body)]
}

const isEmpty = (body) => typeof body === 'object' && Object.keys(body).length === 0

/** Whether the request has a body that no parser has read yet: it cannot be compared. */
function isUnread({ body, rawBody, headers }) {
  if (rawBody !== undefined || !(body === undefined || body === null || isEmpty(body))) return false
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > EMPTY_JSON
}

/**
 * JSON text with the keys of every object in one order.
 *
 * @throws {RangeError} for nesting that would exhaust the stack
 */
function canonical(value) {
  const plain = typeof value?.toJSON === 'function' ? value.toJSON() : value
  if (Array.isArray(plain)) return `[${plain.map((item) => canonical(item)).join(',')}]`
  if (plain === null || typeof plain !== 'object') return JSON.stringify(plain) ?? 'null'
  const members = []
  for (const key of Object.keys(plain).sort()) {
    if (plain[key] !== undefined) members.push(`${JSON.stringify(key)}:${canonical(plain[key])}`)
  }
  return `{${members.join(',')}}`
}

/** The key for `createEvent`: no other user's, and no other route's, whatever they send. */
const derivedKey = (scope, route, key) => digest(['surecal request 1', scope, route, key])

/** SHA-256 over length-prefixed parts: no two lists of parts run together to the same text. */
function digest(parts) {
  const hash = createHash('sha256')
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part
    hash.update(`${bytes.length}:`).update(bytes)
  }
  return hash.digest('base64url')
}

module.exports = { keyOf, routeOf, printOf, isUnread, derivedKey, digest }
