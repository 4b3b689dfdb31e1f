'use strict'

const { storedTokens } = require('./auth')

/** Users whose last failure of `tokenStore.load` is remembered, at most. */
const FAULTS_AT_MOST = 100

/**
 * Answers what the native part asks: a user's stored tokens, to save new ones, or a token of an auth client. Answers
 * are JSON text or null, and an answer that cannot be given is an exception; its words are not passed on.
 */
class TokenQuestions {
  #clients
  #store
  #log
  #loadFaults = new Map()

  /**
   * @param {import('./auth_clients').AuthClients} clients
   * @param {() => {load?: Function, save?: Function} | undefined} store the token store there is now
   * @param {(level: string, message: string, more: object) => void} log
   */
  constructor(clients, store, log) {
    this.#clients = clients
    this.#store = store
    this.#log = log
  }

  /** @returns {Promise<string | null>} */
  async answer(question) {
    switch (question.type) {
      case 'loadTokens':
        return this.#load(question.userId)
      case 'saveTokens':
        return this.#save(question.userId, question.tokens)
      case 'accessToken':
        return JSON.stringify({ access_token: await this.#clients.token(question.authRef, question.refused === true) })
      default:
        throw new Error('a question that nobody knows')
    }
  }

  /** What `tokenStore.load` threw for this user when it was last asked, if it did. */
  loadFault(userId) {
    return this.#loadFaults.get(userId)
  }

  async #load(userId) {
    try {
      const tokens = storedTokens(await this.#store()?.load?.(userId))
      this.#loadFaults.delete(userId)
      return tokens && JSON.stringify(tokens)
    } catch (error) {
      this.#log('warn', 'tokenStore.load failed', { error: nameOf(error) })
      if (this.#loadFaults.size >= FAULTS_AT_MOST) this.#loadFaults.clear()
      this.#loadFaults.set(userId, { error })
      throw error
    }
  }

  async #save(userId, tokens) {
    try {
      await this.#store()?.save?.(userId, tokens)
      return null
    } catch (error) {
      this.#log('warn', 'tokenStore.save failed; the call goes on with the new token', { error: nameOf(error) })
      throw error
    }
  }
}

const nameOf = (error) => (error instanceof Error ? error.name : typeof error)

module.exports = { TokenQuestions }
