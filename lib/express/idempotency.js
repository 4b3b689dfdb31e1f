'use strict'

const { CalendarError, configuration } = require('../errors')
const { LATE, within } = require('../bounded')
const { userIdOf } = require('../identity')
const { errorAnswer, send } = require('./error_answer')
const { HeldResponse } = require('./held_response')
const { settingsOf } = require('./idempotency_options')
const { keyOf, routeOf, isUnread, derivedKey, digest } = require('./request_print')
const { isKept, recordOf, replay } = require('./stored_answer')

/** On a request that is claimed already: a second middleware on its way would wait for the first one forever. */
const CLAIMED = Symbol('claimed by idempotency')

/** The longest wait told to a client: a lease may have longer to go, but most requests have not. */
const LONGEST_RETRY_S = 5

/** The body old front ends know, word for word, but for its retryAfter. */
const DUPLICATE = Object.freeze({ status: 'duplicate', message: 'This request is currently being processed' })

/** Beside the native part's own deadline, for a native part that does not keep it. */
const GRACE_MS = 1000

/**
 * Express middleware (4 and 5): runs the handler once for each key of a user, and answers repetitions with what was
 * answered first. index.d.ts is its manual.
 *
 * @param {object} [options]
 * @param {object} service
 * @param {() => boolean} service.enabled
 * @param {() => number} service.timeoutMs
 * @param {() => number} service.ttlMs
 * @param {(claim: object) => Promise<object>} service.begin
 * @param {(id: string, record: object) => Promise<'applied' | 'refused' | 'unknown'>} service.finish
 * @param {(id: string) => Promise<void>} service.release
 * @param {(level: string, message: string, more: object) => void} service.log
 */
function idempotency(options, service) {
  const settings = settingsOf(options)
  const warned = new Set()
  const ttlMs = () => settings.ttlMs ?? service.ttlMs()
  const problem = settings.conflict === 'problem+json'
  const answerOf = (error) => errorAnswer(error, { problem })
  const duplicate = (retryAfterS) =>
    errorAnswer(inProgress(), { problem, retryAfterS, body: { ...DUPLICATE, retryAfter: retryAfterS } })

  function warnOnce(message) {
    if (warned.has(message)) return
    warned.add(message)
    service.log('warn', message, {})
  }

  return function idempotent(req, res, next) {
    if (!service.enabled() || !settings.methods.includes(req.method) || req.method === 'HEAD') return next()
    if (req[CLAIMED]) {
      warnOnce('idempotency: used twice on the way of one request; the first one counts')
      return next()
    }
    const { key, fault } = keyOf(req, settings.headers)
    if (fault) return refuse(res, validationOf(fault))
    if (key === undefined) {
      if (settings.required) return refuse(res, validationOf(`The header ${settings.headers[0]} is missing.`))
      warnOnce('idempotency: a request without an idempotency key; a repetition of it cannot be known')
      return next()
    }
    req[CLAIMED] = true
    return guarded(req, res, key).then((goesOn) => (goesOn ? next() : undefined), next)
  }

  /** Whether the handler is to run. Rejects with what the app's own functions threw. */
  async function guarded(req, res, key) {
    const route = routeOf(req)
    const scope = await scopeOf(req)
    if (scope === undefined) {
      service.log('error', 'idempotency: no scope; the middleware must come after the one that knows the user', {})
      return refuse(res, noScope())
    }
    const fingerprint = await fingerprintOf(req)
    if (fingerprint === undefined) return refuse(res, validationOf('The body is nested too deep.'))
    const derived = derivedKey(scope, route, key)
    const claim = await begun({ scope, route, key, fingerprint, ttlMs: ttlMs() })
    // Somebody else answered meanwhile, a timeout say.
    if (res.headersSent) return void (claim.state === 'run' && free(claim.id))
    switch (claim.state) {
      case 'run':
        req.idempotencyKey = derived
        hold(res, claim.id)
        return true
      case 'done':
        return void replay(res, claim)
      case 'running':
        return refuseDuplicate(res, waitOf(claim))
      case 'mismatch':
        return refuse(res, reused())
      default:
        if (settings.storeDown === 'refuse' || claim.error.code !== 'STORE_UNAVAILABLE') return refuse(res, claim.error)
        service.log('warn', 'idempotency: the store does not answer; the request goes on unguarded', {})
        req.idempotencyKey = derived
        return true
    }
  }

  async function scopeOf(req) {
    const scope = await settings.scope(req)
    try {
      return userIdOf(scope)
    } catch {
      return undefined
    }
  }

  async function fingerprintOf(req) {
    if (isUnread(req)) {
      warnOnce('idempotency: the body was not parsed before; two requests with one key cannot be told apart by it')
    }
    try {
      return digest([String(await settings.fingerprint(req))])
    } catch (error) {
      if (error instanceof RangeError) return undefined
      throw error
    }
  }

  /** The claim's state, or `{ error }`: a store that does not answer is no free key. */
  async function begun(claim) {
    const asked = service.begin(claim)
    try {
      const answer = await within(asked, service.timeoutMs() + GRACE_MS)
      if (answer !== LATE) return answer
      // Nobody will run for it.
      asked.then((late) => late.state === 'run' && free(late.id)).catch(() => {})
      return { error: storeSilent() }
    } catch (error) {
      return { error }
    }
  }

  /** From here on the key is ours until the answer is settled. */
  function hold(res, id) {
    let orphan
    const letGo = (why) => {
      clearTimeout(orphan)
      service.log('warn', `idempotency: an answer was not kept, for ${why}`, {})
      return free(id)
    }
    const held = new HeldResponse(res, {
      maxBytes: settings.maxBodyBytes,
      async settle(answer) {
        clearTimeout(orphan)
        return settled(id, answer)
      },
      passed(why) {
        clearTimeout(orphan)
        res.once('close', () => letGo(why))
      },
      brokenOff: () => letGo('it was broken off'),
      orphaned() {
        // The handler of a client that left goes on, and its answer is kept. One that never answers must not keep the key.
        orphan = setTimeout(() => {
          letGo('the client left and the handler did not answer')
          held.abandon()
        }, settings.orphanMs)
        orphan.unref()
      },
    })
  }

  /** Makes the answer durable or the key free; another answer to be sent instead, if another run has the key. */
  async function settled(id, answer) {
    if (!isKept(answer, settings.replayable)) return free(id)
    const fate = await fateOf(id, { ...recordOf(answer, settings.safeHeaders), ttlMs: ttlMs() })
    if (fate === 'refused') {
      service.log('warn', 'idempotency: the lease was lost while the handler ran; another run has the key', {})
      const { body, ...head } = duplicate(1)
      return { ...head, body: Buffer.from(JSON.stringify(body)) }
    }
    if (fate !== 'applied') {
      // What the handler did is done: to hold its answer back would only make the client ask again.
      service.log('warn', 'idempotency: it is not known whether an answer was kept; it is sent in any case', {})
    }
    return undefined
  }

  async function fateOf(id, record) {
    try {
      return await within(service.finish(id, record), service.timeoutMs() + GRACE_MS)
    } catch (error) {
      // An answer that no store takes; the claim still runs.
      if (CalendarError.is(error) && error.code === 'VALIDATION_FAILED') await free(id)
      return 'unknown'
    }
  }

  /** Never rejects: a key that could not be freed is free when its lease is over. */
  async function free(id) {
    try {
      await within(service.release(id), service.timeoutMs() + GRACE_MS)
    } catch (error) {
      service.log('warn', 'idempotency: a key could not be freed; it is free when its lease is over', {
        code: CalendarError.is(error) ? error.code : null,
      })
    }
  }

  /** False, for the handler is not to run. */
  function refuse(res, error) {
    if (!res.headersSent) send(res, answerOf(error))
    return false
  }

  function refuseDuplicate(res, retryAfterS) {
    if (!res.headersSent) send(res, duplicate(retryAfterS))
    return false
  }
}

/** Whole seconds. */
const waitOf = ({ retryAfterMs }) => Math.min(Math.max(Math.ceil(retryAfterMs / 1000) || 1, 1), LONGEST_RETRY_S)

const refusal = (code, outcome, message) => new CalendarError({ code, outcome, message })

const validationOf = (message) => refusal('VALIDATION_FAILED', 'not-sent', `${message} Nothing was done.`)

const inProgress = () => refusal('IDEMPOTENCY_IN_PROGRESS', 'not-sent', DUPLICATE.message)

const reused = () =>
  refusal(
    'IDEMPOTENCY_KEY_REUSED',
    'not-sent',
    'This idempotency key was used for a different request. Nothing was done; use a new key for a new request.',
  )

const storeSilent = () =>
  refusal('STORE_UNAVAILABLE', 'not-sent', 'The idempotency store did not answer. Nothing was done; try again.')

const noScope = () =>
  configuration(
    'idempotency has no scope: it must come after the middleware that sets req.userId or req.user, or be given scope. ' +
      'Nothing was done, for without a scope one user could be given the answer of another.',
  )

module.exports = { idempotency }
