'use strict'

// The text for Prometheus, read by a parser that is not ours, and held against metrics().

const parse = require('parse-prometheus-text-format')
const { setStage } = require('./support/stage')
const { lesson } = require('./support/lessons')

const stage = setStage()
let service, text, families, metrics

beforeAll(async () => {
  service = stage.service({ timeoutMs: 3000, attemptTimeoutMs: 300 })
  const user = await stage.user()
  await stage.faultFor(user, { operation: 'events.insert', nth: 1, fault: { kind: 'reset', when: 'after' } })
  await stage.faultFor(user, { operation: 'events.get', nth: 1, fault: { kind: 'status', status: 503 } })
  await service.createEvent(user.email, user.accessToken, lesson(), { idempotencyKey: 'k' })
  await service.createEvent(user.email, user.accessToken, lesson(), { idempotencyKey: 'k' })
  await service.getEvent(user.email, user.accessToken, 'nosuchevent').catch(() => {})
  await service.createEvent(user.email, user.accessToken, { summary: 1 }).catch(() => {})
  metrics = service.metrics()
  text = service.prometheus()
  families = new Map(parse(text).map((family) => [family.name, family]))
})

/** The value of one sample; labels as they are. */
function value(name, labels = {}) {
  const wanted = JSON.stringify(Object.entries(labels).sort())
  const found = families
    .get(name)
    .metrics.find((sample) => JSON.stringify(Object.entries(sample.labels ?? {}).sort()) === wanted)
  return Number(found.value)
}

test('every sample belongs to a family with its help and type, and no family comes twice', () => {
  const lines = text.trimEnd().split('\n')
  const declared = lines.filter((line) => line.startsWith('# TYPE ')).map((line) => line.split(' ')[2])
  expect(new Set(declared).size).toBe(declared.length)
  expect([...families.keys()]).toEqual(declared)
  for (const family of families.values()) {
    expect(family.help).not.toBe('')
    expect(['COUNTER', 'GAUGE', 'HISTOGRAM']).toContain(family.type)
  }
  const samples = lines.filter((line) => !line.startsWith('#')).map((line) => /^[a-z_]+/.exec(line)[0])
  const bare = samples.map((name) => name.replace(/(?<=duration_seconds)_(bucket|sum|count)$/, ''))
  expect(bare.filter((name) => !declared.includes(name))).toEqual([])
})

test('names and units are by Prometheus’s conventions', () => {
  for (const { name, type } of families.values()) {
    expect(name).toMatch(/^surecal_[a-z_]+$/)
    expect([name, name.endsWith('_total')]).toEqual([name, type === 'COUNTER'])
    expect(name).not.toMatch(/_(ms|millis|milliseconds|minutes|kb)(_|$)/)
  }
})

test('the figures are those of metrics()', () => {
  const create = metrics.operations.createEvent
  expect(value('surecal_operations_total', { operation: 'createEvent', result: 'succeeded' })).toBe(create.succeeded)
  expect(create.succeeded).toBe(2)
  expect(value('surecal_operations_total', { operation: 'createEvent', result: 'failed' })).toBe(1)
  const refused = { operation: 'createEvent', code: 'VALIDATION_FAILED', outcome: 'not-sent' }
  expect(value('surecal_operation_failures_total', refused)).toBe(1)
  const missing = { operation: 'getEvent', code: 'NOT_FOUND', outcome: 'rejected' }
  expect(value('surecal_operation_failures_total', missing)).toBe(1)
  expect(value('surecal_duplicates_prevented_total', { kind: 'lost_reply' })).toBe(1)
  expect(value('surecal_duplicates_prevented_total', { kind: 'adopted' })).toBe(1)
  expect(value('surecal_http_requests_total', { kind: 'write' })).toBe(metrics.google.writes)
  expect(value('surecal_http_responses_total', { status: '5xx' })).toBe(1)
  expect(value('surecal_http_retries_total', { reason: 'SERVER_ERROR' })).toBe(1)
  expect(value('surecal_http_faults_total', { kind: 'reset' })).toBe(1)
  expect(value('surecal_operations_in_flight')).toBe(0)
})

test('the histogram counts every call, each bucket all below it, in seconds', () => {
  expect(families.get('surecal_operation_duration_seconds').type).toBe('HISTOGRAM')
  // The parser lays the histograms of all methods together, so this one is read by hand.
  const sample = /^surecal_operation_duration_seconds_(\w+)\{operation="createEvent"(?:,le="([^"]+)")?\} (\S+)$/gm
  const samples = [...text.matchAll(sample)].map(([, part, bound, number]) => [part, bound, Number(number)])
  const buckets = samples.filter(([part]) => part === 'bucket')
  const bounds = buckets.map(([, bound]) => Number(bound.replace('+Inf', 'Infinity')))
  expect(bounds).toEqual([...bounds].sort((one, two) => one - two))
  const counts = buckets.map(([, , number]) => number)
  expect(counts).toEqual([...counts].sort((one, two) => one - two))
  const [, , sum] = samples.find(([part]) => part === 'sum')
  const [, , count] = samples.find(([part]) => part === 'count')
  expect([bounds.at(-1), counts.at(-1), count]).toEqual([Infinity, 3, 3])
  expect(sum * 1000).toBeCloseTo(metrics.operations.createEvent.totalMs, -1)
})

test('no name of a user, a calendar or an event is in it', async () => {
  const user = await stage.user()
  const { eventId } = await service.createEvent(user.email, user.accessToken, lesson())
  const told = service.prometheus() + JSON.stringify(service.metrics())
  for (const secret of [user.email, user.accessToken, eventId, 'Algebra']) expect(told).not.toContain(secret)
})
