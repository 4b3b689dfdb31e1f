'use strict'

/** What the native part rejects with: an Error whose message is a CalendarError as JSON text. */
function nativeError(fields) {
  return new Error(
    JSON.stringify({
      code: 'INTERNAL',
      outcome: 'not-sent',
      message: 'words',
      retryable: false,
      requiresReauth: false,
      operation: null,
      eventId: null,
      status: null,
      reason: null,
      attempts: 0,
      elapsedMs: 0,
      field: null,
      ...fields,
    }),
  )
}

/**
 * A stand-in for the generated binding: it records what crosses and answers as it is told. `answers[method]` is a
 * value, or a function of the parsed arguments and the ticket.
 */
function fakeNative() {
  const fake = {
    calls: [],
    services: [],
    answers: {},
    /** Tokens that wait for an auth client, by its number. */
    fresh: new Map(),
    openWork: 0,
    metrics: '{"inFlight":0}',
    /** Calls that the facade refused by itself. */
    refused: [],
    claims: null,
    verdict: { retry: false, delayMs: 0, why: 'told so' },
    verdicts: [],
  }

  class NativeService {
    constructor(configJson, tell, ask) {
      if (fake.refuseConfig) throw fake.refuseConfig
      const notify = (notice) => tell([0, notice])
      Object.assign(this, { config: JSON.parse(configJson), tell, notify, ask, cancelled: [], holds: [] })
      fake.services.push(this)
    }

    configure(partialJson) {
      if (fake.refuseConfig) throw fake.refuseConfig
      fake.calls.push({ method: 'configure', args: JSON.parse(partialJson) })
    }

    takeTokens(authRef) {
      const tokens = fake.fresh.get(authRef) ?? null
      fake.fresh.delete(authRef)
      return tokens && JSON.stringify(tokens)
    }

    cancel(ticket) {
      this.cancelled.push(ticket)
      fake.onCancel?.(ticket)
    }

    openWork() {
      return fake.openWork
    }

    settled(maxMs) {
      return new Promise((resolve) => {
        this.holds.push({ maxMs, release: resolve })
      })
    }

    closing() {}

    async close(drainMs) {
      fake.calls.push({ method: 'close', drainMs })
      return '[]'
    }

    async pending() {
      return '[]'
    }

    async recover() {
      return '[]'
    }

    claimBegin(text) {
      return fake.claims.begin(text)
    }

    claimFinish(id, text) {
      return fake.claims.finish(id, text)
    }

    claimRelease(id) {
      return fake.claims.release(id)
    }

    clearIdempotency() {
      return fake.claims.clear()
    }

    metrics() {
      return fake.metrics
    }

    prometheus() {
      return '# HELP surecal_open_work Open.\n'
    }

    async health() {
      return '{"ready":true}'
    }

    endedOutside(operation, code, outcome, elapsedMs) {
      fake.refused.push({ operation, code, outcome, elapsedMs })
    }
  }

  for (const method of ['createEvent', 'createEvents', 'verifyEvent', 'updateEvent', 'addAttendee', 'removeAttendee']) {
    NativeService.prototype[method] = function (args, body, ticket) {
      deliver(this, ticket, answer(method, args, body, ticket))
    }
  }
  for (const method of ['getEvent', 'listPage', 'deleteEvent', 'refreshTokens']) {
    NativeService.prototype[method] = function (args, ticket) {
      deliver(this, ticket, answer(method, args, undefined, ticket))
    }
  }

  /** An answer goes back by its ticket, as the binding does it. */
  function deliver({ tell }, ticket, coming) {
    coming.then(
      (text) => tell([ticket, text]),
      (error) => tell([-ticket, error.message]),
    )
  }

  async function answer(method, argsText, bodyText, ticket) {
    const call = {
      method,
      args: JSON.parse(argsText),
      body: bodyText === undefined ? undefined : JSON.parse(bodyText),
      ticket,
    }
    fake.calls.push(call)
    const told = fake.answers[method]
    const value = typeof told === 'function' ? await told(call) : told
    return typeof value === 'string' ? value : JSON.stringify(value ?? { success: true, eventId: 'event1' })
  }

  fake.binding = {
    NativeService,
    retryVerdict(errorJson, attempt, idempotent, retryJson) {
      const asked = { error: JSON.parse(errorJson), attempt, idempotent, retry: JSON.parse(retryJson) }
      fake.verdicts.push(asked)
      return JSON.stringify(typeof fake.verdict === 'function' ? fake.verdict(asked) : fake.verdict)
    },
  }
  return fake
}

module.exports = { fakeNative, nativeError }
