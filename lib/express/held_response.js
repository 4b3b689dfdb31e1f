'use strict'

const { HeldConnection } = require('./held_connection')
const { showInherited } = require('./shown_property')

/** Nothing of the answer has left. */
const HELD = 'held'
/** The handler has ended its answer; what is to become of it is being settled. */
const ENDED = 'ended'
/** Every call goes through. */
const PASSING = 'passing'

/** Node sends no body with these, whatever the handler writes. */
const BODILESS = [204, 304]

/** A part of a body, an answer without end: to hold these back would change or stop them. */
const PARTIAL = 206
const ENDLESS = /^text\/event-stream\b/i

/**
 * Holds an answer back until it is complete and settled: nothing leaves before. For the handler, and for middleware on
 * either side, the response behaves as if each byte had left when it was written: `headersSent`, `writableEnded`,
 * callbacks and refusals are those of Node. What it overrides stays in place, for others may have wrapped it; once the
 * answer passes, each override does nothing but hand on.
 */
class HeldResponse {
  #res
  #original
  #maxBytes
  #owner
  #connection
  #state = HELD
  /** Whether the head counts as sent. */
  #begun = false
  #chunks = []
  #size = 0
  #headersBefore

  /**
   * @param {import('node:http').ServerResponse} res
   * @param {object} owner
   * @param {number} owner.maxBytes longest body that is held
   * @param {(answer: {status: number, headers: object, body: Buffer}) => Promise<object | undefined>} owner.settle asked
   *   when the handler has ended its answer; it never rejects, and may give another answer to send instead
   * @param {(why: string) => void} owner.passed the answer cannot be held and goes through
   * @param {() => void} owner.brokenOff the app destroyed the response before its end
   * @param {() => void} owner.orphaned the connection is gone; the handler goes on
   */
  constructor(res, owner) {
    this.#res = res
    this.#owner = owner
    this.#maxBytes = owner.maxBytes
    this.#headersBefore = { ...res.getHeaders() }
    const { writeHead, write, end, flushHeaders, destroy, setHeader, appendHeader, removeHeader } = res
    this.#original = { writeHead, write, end, flushHeaders, destroy }
    this.#override(res)
    this.#guard(res, { setHeader, appendHeader, removeHeader })
    this.#connection = new HeldConnection(res, {
      lost: () => this.#state === HELD && owner.orphaned(),
      cut: () => this.#breakOff(),
    })
  }

  #override(res) {
    res.writeHead = (...args) => this.#writeHead(args)
    res.write = (...args) => this.#write(args)
    res.end = (...args) => this.#end(args)
    res.flushHeaders = () => (this.#state === PASSING ? this.#through('flushHeaders', []) : this.#begin())
    res.destroy = (...args) => {
      this.#breakOff()
      return this.#through('destroy', args)
    }
    showInherited(res, 'headersSent', () => this.#begun || this.#state === ENDED, this.#isOurs)
    showInherited(res, 'writableEnded', () => this.#state === ENDED, this.#isOurs)
  }

  /** Node refuses a header once the head has left; so does a head that is held. */
  #guard(res, methods) {
    for (const [name, method] of Object.entries(methods)) {
      if (typeof method !== 'function') continue
      res[name] = (...args) => {
        if (this.#isOurs() && res.headersSent) throw tooLate()
        return Reflect.apply(method, res, args)
      }
    }
  }

  #isOurs = () => this.#state !== PASSING

  #through(name, args) {
    return Reflect.apply(this.#original[name], this.#res, args)
  }

  // ---- what the handler calls ----

  #writeHead(args) {
    if (this.#state === PASSING) return this.#through('writeHead', args)
    const [status, ...rest] = args
    if (this.#begun || this.#state === ENDED) {
      // compression asks for the implicit head before each chunk, for it looks at Node's own flag.
      if (rest.every((arg) => arg === undefined)) return this.#res
      throw tooLate()
    }
    applyHead(this.#res, status, rest)
    this.#begun = true
    const why = this.#whyNotHeld()
    if (why) {
      this.#pass(why)
      this.#through('writeHead', [this.#res.statusCode])
    }
    return this.#res
  }

  #write(args) {
    if (this.#state === PASSING) return this.#through('write', args)
    const { chunk, encoding, done } = writing(args)
    if (this.#state === ENDED) {
      if (done) process.nextTick(done, coded('ERR_STREAM_WRITE_AFTER_END', 'write after end'))
      return false
    }
    const bytes = bytesOf(chunk, encoding)
    this.#begin()
    if (this.#state === PASSING) return this.#through('write', [bytes, done])
    this.#keep(bytes)
    if (this.#size > this.#maxBytes) return this.#passBody(done)
    if (done) process.nextTick(done)
    return true
  }

  #end(args) {
    if (this.#state === PASSING) return this.#through('end', args)
    const { chunk, encoding, done } = writing(args)
    if (this.#state === ENDED) {
      if (done)
        process.nextTick(done, coded('ERR_STREAM_ALREADY_FINISHED', 'Cannot call end after a stream was finished'))
      return this.#res
    }
    const bytes = chunk === undefined || chunk === null ? undefined : bytesOf(chunk, encoding)
    this.#begin()
    if (this.#state === PASSING) return this.#through('end', [bytes, done])
    if (bytes) this.#keep(bytes)
    if (this.#size > this.#maxBytes) {
      this.#passBody()
      return this.#through('end', [done])
    }
    this.#state = ENDED
    this.#settleAndSend(done)
    return this.#res
  }

  // ---- inside ----

  /** As Node does before the first byte, and by the same way: middleware that waits for the head has its turn. */
  #begin() {
    if (!this.#begun) this.#res.writeHead(this.#res.statusCode)
  }

  #keep(bytes) {
    this.#chunks.push(bytes)
    this.#size += bytes.length
  }

  #whyNotHeld() {
    const res = this.#res
    if (res.statusCode === PARTIAL || res.getHeader('Content-Range') !== undefined) return 'it is a part of a body'
    if (ENDLESS.test(String(res.getHeader('Content-Type') ?? ''))) return 'it is an event stream'
    if (Number(res.getHeader('Content-Length')) > this.#maxBytes) return 'it is larger than maxBodyBytes'
    return undefined
  }

  #pass(why) {
    this.#state = PASSING
    this.#owner.passed(why)
    this.#connection.release()
  }

  #passBody(done) {
    const body = this.#body()
    this.#pass('it is larger than maxBodyBytes')
    return this.#through('write', [body, done])
  }

  #body() {
    const body = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks)
    this.#chunks = []
    return body
  }

  async #settleAndSend(done) {
    const res = this.#res
    const held = this.#body()
    const body = BODILESS.includes(res.statusCode) ? Buffer.alloc(0) : held
    const instead = await this.#owner.settle({ status: res.statusCode, headers: res.getHeaders(), body })
    this.#state = PASSING
    this.#connection.release()
    try {
      if (instead) this.#replaceBy(instead)
      endWhole(res, instead ? instead.body : body, (args) => this.#through('end', [...args, done]))
      this.#connection.whole()
    } catch {
      // Node refused what the handler made; nobody is left to be told, and half an answer must not look whole.
      this.#through('destroy', [])
    }
  }

  /** Takes off what the handler set; what was there before it stays. */
  #replaceBy({ status, headers }) {
    const res = this.#res
    for (const name of res.getHeaderNames()) res.removeHeader(name)
    for (const [name, value] of Object.entries({ ...this.#headersBefore, ...headers })) res.setHeader(name, value)
    res.statusCode = status
    res.statusMessage = ''
  }

  // ---- ends that are none ----

  /** Gives up an answer whose end does not come: the handler sees that the connection is gone. */
  abandon() {
    if (this.#state !== HELD) return
    this.#state = PASSING
    this.#chunks = []
    this.#connection.release()
  }

  #breakOff() {
    if (this.#state !== HELD) return
    this.abandon()
    this.#owner.brokenOff()
  }
}

/**
 * Ends an answer with its whole body at once, the first time as in a replay: so the length, and what compression makes
 * of it, come out the same. A length or a coding of transfer that is there already is the handler's word.
 */
function endWhole(res, body, end) {
  const isSaid = ['Content-Length', 'Transfer-Encoding', 'Trailer'].some((name) => res.getHeader(name) !== undefined)
  if (!isSaid && !BODILESS.includes(res.statusCode)) res.setHeader('Content-Length', body.length)
  end(body.length > 0 ? [body] : [])
}

/** `write` and `end` take (chunk, encoding, callback), each of which may be left out. */
function writing(args) {
  const done = args.find((arg) => typeof arg === 'function')
  const [chunk, encoding] = args.filter((arg) => typeof arg !== 'function')
  return { chunk, encoding, done }
}

/** A copy: a caller may use its buffer again as soon as the callback came. */
function bytesOf(chunk, encoding) {
  if (typeof chunk === 'string') return Buffer.from(chunk, encoding ?? 'utf8')
  if (chunk instanceof Uint8Array) return Buffer.from(chunk)
  throw Object.assign(
    new TypeError('The "chunk" argument must be of type string or an instance of Buffer or Uint8Array.'),
    { code: chunk === null ? 'ERR_STREAM_NULL_VALUES' : 'ERR_INVALID_ARG_TYPE' },
  )
}

/** `writeHead(status[, reason][, headers])` with Node's own rules, on a head that can still be changed. */
function applyHead(res, status, rest) {
  const code = status | 0
  if (code < 100 || code > 999) {
    throw Object.assign(new RangeError(`Invalid status code: ${code}`), { code: 'ERR_HTTP_INVALID_STATUS_CODE' })
  }
  const [reason, headers] = typeof rest[0] === 'string' ? rest : [undefined, rest[1] ?? rest[0]]
  res.statusCode = code
  if (reason !== undefined) res.statusMessage = reason
  for (const [name, value] of headerPairs(headers)) res.setHeader(name, value)
}

function headerPairs(headers) {
  if (!Array.isArray(headers)) return Object.entries(headers ?? {})
  const flat = headers.flat()
  const byName = new Map()
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const name = String(flat[at]).toLowerCase()
    byName.set(name, [...(byName.get(name) ?? []), flat[at + 1]])
  }
  return [...byName].map(([name, values]) => [name, values.length === 1 ? values[0] : values])
}

const coded = (code, message) => Object.assign(new Error(message), { code })

const tooLate = () => coded('ERR_HTTP_HEADERS_SENT', 'Cannot set headers after they are sent to the client')

module.exports = { HeldResponse, endWhole }
