'use strict'

const { idempotency } = require('./express/idempotency')

/** Milliseconds a stored answer is kept, unless the configuration or the middleware says otherwise. */
const ANSWER_TTL_MS = 3600000

/** The idempotency claims of a service's HTTP requests: what the middleware needs of the service. */
class RequestClaims {
  #ask
  #settings
  /** The middleware with its defaults, made when it is first used as one. */
  #plain = null

  /**
   * @param {object} service
   * @param {(question: (addon: object) => Promise<any>, which?: object) => Promise<any>} service.ask asks the native part
   * @param {() => object} service.settings the configuration as it is now
   * @param {() => number} service.timeoutMs
   * @param {(level: string, message: string, more: object) => void} service.log
   */
  constructor({ ask, settings, timeoutMs, log }) {
    this.#ask = ask
    this.#settings = settings
    Object.assign(this, { timeoutMs, log })
  }

  /** `idempotency(options)` makes a middleware; `(req, res, next)` is served by one with the defaults. */
  serve(options, ...more) {
    if (typeof more[1] !== 'function') return idempotency(options, this)
    this.#plain ??= idempotency({}, this)
    return this.#plain(options, ...more)
  }

  enabled() {
    return this.#settings().idempotency?.enabled ?? true
  }

  ttlMs() {
    return this.#settings().idempotency?.ttlMs ?? ANSWER_TTL_MS
  }

  async begin(claim) {
    return JSON.parse(await this.#ask((addon) => addon.claimBegin(JSON.stringify(claim))))
  }

  finish(id, record) {
    return this.#ask((addon) => addon.claimFinish(id, JSON.stringify(record)), { evenClosed: true })
  }

  release(id) {
    return this.#ask((addon) => addon.claimRelease(id), { evenClosed: true })
  }
}

module.exports = { RequestClaims }
