'use strict'

const { askedToken, renewedToken } = require('./auth')

/** Milliseconds for which a token that was just renewed is not renewed again, whoever else met the old one's 401. */
const RENEWED_MS = 10000

/** Numbers are unique in a process, so that a notice can never name another service's client. */
let lastRef = 0

/**
 * The auth clients that calls brought, by the number under which the native part speaks of them. A client is held
 * weakly: it lives as long as the app wants.
 */
class AuthClients {
  #records = new Map()
  #current = new WeakMap()
  #gone = new FinalizationRegistry((ref) => this.#records.delete(ref))

  /**
   * The record of a client for one more call; `release` it when the call is over. A client that holds credentials
   * (`writesBack`) and was given another user's meanwhile gets a new record: the first user's tokens must never be
   * written over them.
   */
  hold(client, writesBack) {
    let record = this.#current.get(client)
    const grant = writesBack ? grantOf(client) : undefined
    if (record === undefined || record.grant !== grant) {
      if (record) this.#replace(record)
      lastRef += 1
      record = { ref: lastRef, client: new WeakRef(client), grant, calls: 0, replaced: false, given: undefined }
      this.#current.set(client, record)
      this.#records.set(record.ref, record)
      this.#gone.register(client, record.ref)
    }
    record.calls += 1
    return record
  }

  release(record) {
    record.calls -= 1
    if (record.replaced && record.calls === 0) this.#records.delete(record.ref)
  }

  /** The first token of a call, from a client that renews itself. */
  async firstToken(record, client) {
    record.given = await askedToken(client)
    return record.given
  }

  /**
   * A token of the client `ref`; `refused`: Google answered 401 to the last one. All who met that share one renewal.
   *
   * @throws when the client is gone or gives no token
   */
  async token(ref, refused) {
    const record = this.#records.get(ref)
    const client = record?.client.deref()
    if (!client) throw new Error('the auth object is gone')
    if (!refused || performance.now() - (record.renewedAt ?? -Infinity) < RENEWED_MS) {
      return this.firstToken(record, client)
    }
    record.renewal ??= renewedToken(client, record.given).finally(() => {
      record.renewal = undefined
      record.renewedAt = performance.now()
    })
    record.given = await record.renewal
    return record.given
  }

  /**
   * Hands refreshed tokens to the client `ref`: `setCredentials` with what it holds and these, then its `tokens` event
   * as google-auth-library emits it (a refresh token is in it only when it is new). The library itself would lose a
   * rotated refresh token here.
   *
   * @throws whatever the client's own method or listener throws
   */
  writeBack(ref, tokens) {
    const record = this.#records.get(ref)
    const client = record?.client.deref()
    if (!client || grantOf(client) !== record.grant) return
    const held = client.credentials ?? {}
    const rotated = Boolean(tokens.refresh_token) && tokens.refresh_token !== held.refresh_token
    if (held.access_token === tokens.access_token && !rotated) return
    const given = Object.fromEntries(Object.entries(tokens).filter(([, value]) => value !== null))
    // A date that is not known must not leave the old token's date beside the new token.
    client.setCredentials({ ...held, expiry_date: undefined, ...given })
    record.grant = grantOf(client)
    const { refresh_token: refreshToken, ...news } = given
    if (typeof client.emit === 'function')
      client.emit('tokens', rotated ? { ...news, refresh_token: refreshToken } : news)
  }

  #replace(record) {
    record.replaced = true
    if (record.calls === 0) this.#records.delete(record.ref)
  }
}

/** Whose credentials a client holds now. */
function grantOf(client) {
  try {
    return client.credentials?.refresh_token ?? client.credentials?.access_token
  } catch {
    return undefined
  }
}

module.exports = { AuthClients }
