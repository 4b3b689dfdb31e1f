'use strict'

const { CalendarError } = require('./errors')
const { authRequired, readAuth } = require('./auth')
const { AuthClients } = require('./auth_clients')
const { TokenQuestions } = require('./token_questions')

/** The credentials of a service's calls: reads what a caller brought, and gives refreshed tokens back to it. */
class CallCredentials {
  #native
  #settings
  #tokenStore
  #log
  #clients = new AuthClients()
  #questions

  /** @param {object} service `native`, `settings`, `tokenStore`: each a function that gives what there is now; `log` */
  constructor({ native, settings, tokenStore, log }) {
    this.#native = native
    this.#settings = settings
    this.#tokenStore = tokenStore
    this.#log = log
    this.#questions = new TokenQuestions(this.#clients, tokenStore, log)
  }

  /**
   * What a call's `auth` is: `args` cross to the native part, and a client in it is held until `letGo`.
   *
   * @throws {CalendarError} GOOGLE_AUTH_REQUIRED or VALIDATION_FAILED
   */
  hold(auth) {
    if (auth === null || auth === undefined) {
      if (this.#tokenStore()) return { args: null }
      throw authRequired(
        'No auth was given and no tokenStore is configured. Nothing was sent; pass auth or set tokenStore.load.',
      )
    }
    const { args, writeBack, source } = readAuth(auth, this.#settings())
    if (!writeBack && !source) return { args }
    const record = this.#clients.hold(writeBack ?? source, writeBack !== undefined)
    if (args.accessToken) record.given = args.accessToken
    args.authRef = record.ref
    return { args, record, source }
  }

  /**
   * A client that renews itself is asked here: what it says when it cannot is better told than "no token". Undefined if
   * there is nothing to ask.
   */
  firstToken(call, held) {
    return held.source && !held.args.accessToken ? this.#askedFirst(call, held) : undefined
  }

  async #askedFirst(call, { args, record, source }) {
    args.accessToken = await call.bounded(this.#clients.firstToken(record, source), 'the auth object')
  }

  letGo({ record }) {
    if (!record) return
    this.handBack(record.ref)
    this.#clients.release(record)
  }

  /** Gives refreshed tokens to the auth client they are for. It never throws. */
  handBack(authRef) {
    try {
      const tokens = this.#native()?.takeTokens(authRef)
      if (typeof tokens === 'string') this.#clients.writeBack(authRef, JSON.parse(tokens))
    } catch (error) {
      this.#log('warn', 'setCredentials of an auth client, or a listener of its tokens event, failed', {
        error: error instanceof Error ? error.name : typeof error,
      })
    }
  }

  /** Answers a question of the native part; see TokenQuestions. */
  async answer(question) {
    return this.#questions.answer(question)
  }

  /** A token store that failed is told with what the app's own callback threw. */
  withLoadFault(error, userId) {
    const fault = error?.code === 'STORE_UNAVAILABLE' ? this.#questions.loadFault(userId) : undefined
    if (!fault || !CalendarError.is(error) || error.cause !== undefined) return error
    return new CalendarError(error.toJSON(), { cause: fault.error })
  }
}

module.exports = { CallCredentials }
