'use strict'

const { nativeError } = require('./native')

/**
 * The idempotency claims of the native part, in memory: the same questions and answers, and faults on request. A lease
 * is renewed while its claim lives, so here it simply does not run out, unless `loseLease()` says so.
 */
class FakeClaims {
  byKey = new Map()
  begun = []
  finished = []
  released = []
  /** The store does not answer. */
  down = false
  /** What `claimFinish` says instead of doing it; a function is asked. */
  fate = null
  #lastId = 0

  async begin(text) {
    const asked = JSON.parse(text)
    this.begun.push(asked)
    if (this.down) throw storeDown()
    const name = JSON.stringify([asked.scope, asked.route, asked.key])
    const entry = this.byKey.get(name)
    if (entry && entry.fingerprint !== asked.fingerprint) return '{"state":"mismatch"}'
    if (entry?.record) return JSON.stringify({ state: 'done', ...entry.record })
    if (entry) return '{"state":"running","retryAfterMs":2500}'
    const id = `claim${++this.#lastId}`
    this.byKey.set(name, { id, fingerprint: asked.fingerprint, record: null })
    return JSON.stringify({ state: 'run', id })
  }

  async finish(id, text) {
    const told = typeof this.fate === 'function' ? await this.fate(id) : this.fate
    if (told) return told
    const entry = this.#running(id)
    if (!entry) return 'refused'
    const { ttlMs, ...record } = JSON.parse(text)
    entry.record = record
    this.finished.push({ id, ttlMs, record })
    return 'applied'
  }

  async release(id) {
    this.released.push(id)
    if (this.down) throw storeDown()
    for (const [name, entry] of this.byKey) if (entry.id === id && !entry.record) this.byKey.delete(name)
  }

  async clear() {
    this.byKey.clear()
  }

  /** Another run takes over whatever is running. */
  loseLease() {
    for (const entry of this.byKey.values()) entry.id = `taken over from ${entry.id}`
  }

  #running(id) {
    return [...this.byKey.values()].find((entry) => entry.id === id && !entry.record)
  }
}

const storeDown = () =>
  nativeError({ code: 'STORE_UNAVAILABLE', retryable: true, message: 'The store does not answer.' })

module.exports = { FakeClaims }
