'use strict'

const api = require('@opentelemetry/api')
const { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-node')
const { loadOverFake } = require('./fakes/load')
const { nativeError } = require('./fakes/native')

const event = { summary: 'Algebra', attendees: [{ email: 'ada@school.test' }] }

describe('with OpenTelemetry', () => {
  const exporter = new InMemorySpanExporter()
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  let fake, service, active

  beforeAll(() => provider.register())
  afterAll(async () => {
    await provider.shutdown()
    api.trace.disable()
    api.context.disable()
  })
  beforeEach(() => {
    exporter.reset()
    let surecal
    ;({ surecal, fake } = loadOverFake())
    service = new surecal.CalendarService({
      resolveCalendar: () => {
        active = api.trace.getActiveSpan()
        return { calendarId: 'primary' }
      },
    })
  })

  const spans = () => exporter.getFinishedSpans()

  test('a call is one span, a child of the active one, with its end and the caller’s context', async () => {
    fake.answers.createEvent = { success: true, verified: true, replayed: true, repaired: false, attempts: 3 }
    const tracer = api.trace.getTracer('app')
    const context = { request: 'r-7', slot: 2, urgent: true, user: { email: 'ada@school.test' }, 'a b': 'x' }
    await tracer.startActiveSpan('POST /classes', async (parent) => {
      await service.createEvent('ada', 'token', event, { context })
      parent.end()
    })
    const [span, parent] = spans()
    expect(span.name).toBe('surecal.createEvent')
    expect(span.kind).toBe(api.SpanKind.CLIENT)
    expect(span.parentSpanContext.spanId).toBe(parent.spanContext().spanId)
    expect(span.instrumentationScope).toMatchObject({ name: 'surecal', version: require('../package.json').version })
    expect(span.attributes).toEqual({
      'surecal.outcome': 'applied',
      'surecal.attempts': 3,
      'surecal.verified': true,
      'surecal.replayed': true,
      'surecal.repaired': false,
      'surecal.context.request': 'r-7',
      'surecal.context.slot': 2,
      'surecal.context.urgent': true,
    })
    expect(span.status.code).toBe(api.SpanStatusCode.UNSET)
  })

  test('what callbacks do is within the call’s span', async () => {
    await service.createEvent('ada', 'token', event)
    expect(active.spanContext().spanId).toBe(spans()[0].spanContext().spanId)
  })

  test('a rejection and a failed verification are errors with code and outcome', async () => {
    fake.answers.createEvent = () => {
      throw nativeError({ code: 'TIMEOUT', outcome: 'unknown', attempts: 4, message: 'ada@school.test' })
    }
    await expect(service.createEvent('ada', 'token', event)).rejects.toMatchObject({ code: 'TIMEOUT' })
    fake.answers.createEvent = { success: false, verified: false, errorCode: 'VERIFICATION_FAILED', cleanup: 'deleted' }
    await service.createEvent('ada', 'token', event)
    const [rejected, unverified] = spans()
    expect(rejected.status).toEqual({ code: api.SpanStatusCode.ERROR, message: 'TIMEOUT' })
    expect(rejected.attributes).toEqual({
      'surecal.code': 'TIMEOUT',
      'surecal.outcome': 'unknown',
      'surecal.attempts': 4,
    })
    expect(unverified.status).toEqual({ code: api.SpanStatusCode.ERROR, message: 'VERIFICATION_FAILED' })
    expect(unverified.attributes).toMatchObject({ 'surecal.outcome': 'rejected', 'surecal.verified': false })
  })

  test('no span holds a user, a token, an event or its id', async () => {
    fake.answers.createEvent = { success: true, eventId: 'event-canary', event: { summary: 'Algebra' } }
    await service.createEvent('ada-canary', 'token-canary', event)
    await service.deleteEvent('ada-canary', 'token-canary', 'event-canary')
    const told = JSON.stringify(
      spans().map(({ name, attributes, status, events }) => [name, attributes, status, events]),
    )
    expect(told).not.toMatch(/canary|Algebra|school/)
  })

  test('a tracer that throws changes no call', async () => {
    const broken = jest.spyOn(api.trace, 'getTracer').mockImplementation(() => {
      throw new Error('broken')
    })
    await expect(service.createEvent('ada', 'token', event)).resolves.toMatchObject({ success: true })
    expect(broken).toHaveBeenCalled()
    broken.mockRestore()
  })
})

test('without the package, calls are made as ever', async () => {
  jest.doMock('@opentelemetry/api', () => {
    throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' })
  })
  const { surecal } = loadOverFake()
  const service = new surecal.CalendarService()
  await expect(service.createEvent('ada', 'token', event)).resolves.toMatchObject({ success: true })
  jest.dontMock('@opentelemetry/api')
})

test('with the package and nobody who records, no context is made', async () => {
  const { surecal } = loadOverFake()
  const entered = jest.spyOn(api.context, 'with')
  await expect(new surecal.CalendarService().createEvent('ada', 'token', event)).resolves.toMatchObject({
    success: true,
  })
  expect(entered).not.toHaveBeenCalled()
  entered.mockRestore()
})
