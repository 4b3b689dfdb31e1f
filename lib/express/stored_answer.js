'use strict'

const { isUtf8 } = require('node:buffer')
const { endWhole } = require('./held_response')

/** Headers that describe the answer itself. Those that belong to one exchange or one person are not replayed. */
const SAFE_HEADERS = Object.freeze([
  'content-type',
  'content-encoding',
  'content-language',
  'content-disposition',
  'content-location',
  'location',
  'etag',
  'last-modified',
  'cache-control',
  'vary',
  'link',
])

/** Never replayed, whoever asks for it: sessions, and what Node makes for each exchange. */
const NEVER_REPLAYED = Object.freeze([
  'set-cookie',
  'set-cookie2',
  'authorization',
  'proxy-authenticate',
  'www-authenticate',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'trailer',
  'upgrade',
  'date',
])

/** "Not now" and "not you": to keep these would hold the user back after the cause is gone. 5xx belong to them. */
const NEVER_KEPT = Object.freeze([401, 403, 408, 409, 425, 429])

const isKeepable = (status) => status >= 200 && status < 500 && status !== 206 && !NEVER_KEPT.includes(status)

/** Whether an answer is kept: one that is whole, with a status of 2xx or of `replayable`. */
function isKept({ status, headers, body }, replayable) {
  const said = headers['content-length']
  const isWhole = said === undefined || Number(said) === body.length
  return isWhole && isKeepable(status) && (status < 300 || replayable.includes(status))
}

/** The record of an answer, as the store keeps it. */
function recordOf({ status, headers, body }, safeHeaders) {
  const kept = {}
  for (const name of safeHeaders) {
    const value = headers[name]
    if (value !== undefined) kept[name] = Array.isArray(value) ? value.map(String) : String(value)
  }
  const encoding = isUtf8(body) ? 'utf8' : 'base64'
  return { status, headers: kept, body: body.toString(encoding), encoding }
}

/** Answers a request from a record, with one `end`, as the first answer was. */
function replay(res, { status, headers, body, encoding }) {
  res.statusCode = status
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
  res.setHeader('Idempotent-Replayed', 'true')
  endWhole(res, Buffer.from(body, encoding), (args) => res.end(...args))
}

module.exports = { SAFE_HEADERS, NEVER_REPLAYED, isKeepable, isKept, recordOf, replay }
