'use strict'

/** Characters of a context key that becomes a part of an attribute's name. */
const PLAIN_KEY = /^[\w.-]{1,64}$/
/** The longest text of a context value that goes into a span. */
const LONGEST_VALUE = 256

/** `@opentelemetry/api`, or null where it is not installed; undefined until somebody asks. */
let api

/** Of this package, once somebody traces. */
let version

/** The tracer, and the provider it is of: an app that registers another one is traced by that. */
let known = { provider: undefined, tracer: undefined }

/** It is the app's own copy that counts: all copies share the tracer that the app has registered. */
function openTelemetry() {
  if (api !== undefined) return api
  try {
    api = require('@opentelemetry/api')
  } catch {
    api = null
  }
  return api
}

/**
 * Runs a call within a span of its own, `surecal.<operation>`, a child of the one that is active. Its attributes are
 * codes, counts and the primitive values of the caller's `context`; nothing of an event and nobody's name. Without
 * OpenTelemetry, or where nobody records, the call is only run.
 *
 * @param {{operation: string, writes?: boolean}} plan
 * @param {unknown} context the call's `options.context`
 * @param {() => Promise<any>} run
 */
function traced(plan, context, run) {
  const telemetry = openTelemetry()
  const span = telemetry && spanOf(telemetry, plan.operation)
  return span ? inSpan(telemetry, span, { ...plan, context }, run) : run()
}

async function inSpan(telemetry, span, plan, run) {
  const active = telemetry.trace.setSpan(telemetry.context.active(), span)
  return telemetry.context.with(active, () => within(telemetry, span, plan, run))
}

/** None where it would be thrown away, nor from a tracer that throws: to be watched must not change a call. */
function spanOf({ trace, SpanKind }, operation) {
  try {
    const span = tracerOf(trace).startSpan(`surecal.${operation}`, { kind: SpanKind.CLIENT })
    return span.isRecording() ? span : null
  } catch {
    return null
  }
}

function tracerOf(trace) {
  const provider = trace.getTracerProvider()
  if (provider !== known.provider) {
    known = { provider, tracer: trace.getTracer('surecal', (version ??= require('../package.json').version)) }
  }
  return known.tracer
}

async function within({ SpanStatusCode }, span, plan, run) {
  let end
  try {
    const result = await run()
    end = { result }
    return result
  } catch (error) {
    end = { error }
    throw error
  } finally {
    finish(span, plan, end, SpanStatusCode)
  }
}

function finish(span, plan, end, { ERROR }) {
  try {
    const facts = factsOf(plan, end)
    span.setAttributes({ ...contextAttributes(plan.context), ...facts })
    if (facts['surecal.code']) span.setStatus({ code: ERROR, message: facts['surecal.code'] })
    span.end()
  } catch {
    // A processor of the app's that throws is the app's own trouble, and not this call's.
  }
}

function factsOf({ writes }, { result, error }) {
  const told = error ?? result ?? {}
  const { attempts, verified, replayed, repaired } = told
  const facts = {
    'surecal.code': error ? error.code : result?.errorCode,
    'surecal.outcome': error ? error.outcome : outcomeOf(result, writes),
    'surecal.attempts': attempts,
    'surecal.verified': verified,
    'surecal.replayed': replayed,
    'surecal.repaired': repaired,
  }
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => isPrimitive(value)))
}

/** "Is it in the calendar?", of an answer. */
function outcomeOf(result, writes) {
  if (!writes) return undefined
  if (result?.success !== false) return 'applied'
  if (result.cleanup === 'deleted') return 'rejected'
  return result.cleanup === 'pending' || result.rollbackPending?.length > 0 ? 'unknown' : 'applied'
}

/** What the caller gave to be told along: names and numbers, not whole objects. */
function contextAttributes(context) {
  if (context === null || typeof context !== 'object') return {}
  const told = Object.entries(context).filter(([key, value]) => PLAIN_KEY.test(key) && isPrimitive(value))
  return Object.fromEntries(
    told.map(([key, value]) => [
      `surecal.context.${key}`,
      typeof value === 'string' ? value.slice(0, LONGEST_VALUE) : value,
    ]),
  )
}

const isPrimitive = (value) => ['string', 'number', 'boolean'].includes(typeof value)

module.exports = { traced }
