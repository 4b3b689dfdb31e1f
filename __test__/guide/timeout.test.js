'use strict'

// The implementation guide's own tests of its fix 5. What is expected stands as it is there, word for word; the mock of
// Google's client has become a fault of a server. The tests that wait ten seconds wait together.

const surecal = require('surecal')
const { setStage } = require('../support/stage')
const { FORMS } = require('./forms')
const { ownNow } = require('../support/own_now')

const stage = setStage()
const services = new Map()

beforeAll(() => {
  for (const [form, makeService] of FORMS) services.set(form, makeService(stage.google.config))
})
afterAll(() => Promise.all([...services.values()].map((service) => service.close({ drainMs: 0 }))))

const eventData = {
  summary: 'Test Event',
  start: { dateTime: '2025-01-01T10:00:00Z', timeZone: 'UTC' },
  end: { dateTime: '2025-01-01T11:00:00Z', timeZone: 'UTC' },
}

/** What the guide's tests have in scope. */
async function scene(form) {
  const user = await stage.user()
  return { GoogleCalendarService: services.get(form), userId: user.email, auth: user.credentials, user }
}

describe('Calendar Operation Timeouts', () => {
  test.concurrent.each(FORMS)('should timeout after 10 seconds, %s', async (form) => {
    const { GoogleCalendarService, userId, auth, user } = await scene(form)
    // Mock slow response
    await stage.faultFor(user, { operation: 'events.insert', fault: { kind: 'late', afterMs: 15000 } })

    const startTime = ownNow()

    await expect(GoogleCalendarService.createEvent(userId, auth, eventData)).rejects.toThrow('timed out after 10000ms')

    const duration = ownNow() - startTime
    expect(duration).toBeLessThan(11000) // Should timeout around 10s
  })

  test.concurrent.each(FORMS)('should timeout after 10 seconds, whatever hangs, %s', async (form) => {
    const { GoogleCalendarService, userId, auth, user } = await scene(form)
    await stage.faultFor(user, { operation: '*', fault: { kind: 'hang' } })

    const startTime = ownNow()

    await expect(GoogleCalendarService.createEvent(userId, auth, eventData)).rejects.toThrow('timed out after 10000ms')

    const duration = ownNow() - startTime
    expect(duration).toBeLessThan(11000)
  })

  test.concurrent.each(FORMS)('should succeed if response is fast, %s', async (form) => {
    const { GoogleCalendarService, userId, auth } = await scene(form)

    const result = await GoogleCalendarService.createEvent(userId, auth, eventData)

    expect(result.success).toBe(true)
  })

  test.concurrent.each(FORMS)(
    'a slow reply of an event that was stored is a success inside the deadline, %s',
    async (form) => {
      const { GoogleCalendarService, userId, auth, user } = await scene(form)
      await stage.faultFor(user, { operation: 'events.insert', fault: { kind: 'latency', ms: 15000 } })
      await expect(GoogleCalendarService.createEvent(userId, auth, eventData)).resolves.toMatchObject({
        verified: true,
      })
      await expect(stage.live(user)).resolves.toHaveLength(1)
    },
  )

  test.concurrent.each(FORMS)('a timeout says that the outcome is not known, %s', async (form) => {
    const { GoogleCalendarService, userId, auth, user } = await scene(form)
    await stage.faultFor(user, { operation: 'events.*', fault: { kind: 'hang' } })
    const options = { timeoutMs: 600 }
    await expect(GoogleCalendarService.createEvent(userId, auth, eventData, options)).rejects.toMatchObject({
      name: 'CalendarError',
      code: 'TIMEOUT',
      outcome: 'unknown',
      retryable: true,
      operation: 'createEvent',
      message: expect.stringContaining('timed out after 600ms'),
    })
  })

  test.concurrent.each(FORMS)(
    'withTimeout rejects in the guide’s words, and lets a fast promise through, %s',
    async (form) => {
      const GoogleCalendarService = services.get(form)
      await expect(GoogleCalendarService.withTimeout(new Promise(() => {}), 50, 'Lookup')).rejects.toThrow(
        'Lookup timed out after 50ms',
      )
      await expect(GoogleCalendarService.withTimeout(Promise.resolve(7), 50)).resolves.toBe(7)
    },
  )
})

test('the default deadline is the guide’s constant', () => {
  expect(surecal.CALENDAR_OPERATION_TIMEOUT).toBe(10000)
})
