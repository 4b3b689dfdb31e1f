'use strict'

// The implementation guide's own tests of its fix 1. What is expected stands as it is there, word for word; the mock of
// Google's client has become a fault of a server.

const { setStage } = require('../support/stage')
const { FORMS } = require('./forms')

const stage = setStage()

describe.each(FORMS)('Event Verification, %s', (_form, makeService) => {
  let GoogleCalendarService, testUserId, testAuth, user

  beforeEach(async () => {
    GoogleCalendarService = makeService(stage.google.config)
    user = await stage.user()
    testUserId = user.email
    testAuth = { credentials: user.credentials }
  })
  afterEach(() => GoogleCalendarService.close({ drainMs: 0 }))

  const eventData = {
    summary: 'Test Event',
    start: { dateTime: '2025-01-01T10:00:00Z', timeZone: 'UTC' },
    end: { dateTime: '2025-01-01T11:00:00Z', timeZone: 'UTC' },
  }

  test('should verify event after creation', async () => {
    const result = await GoogleCalendarService.createEvent(testUserId, testAuth, eventData)

    expect(result.success).toBe(true)
    expect(result.verified).toBe(true)
    expect(result.event.summary).toBe(eventData.summary)

    // And by the server's own account:
    const [event, ...others] = await stage.live(user)
    expect([event.id, event.summary, others]).toEqual([result.eventId, 'Test Event', []])
  })

  test('should fail if verification fails', async () => {
    // Google stores different data, and does so again when it is put right.
    const different = { kind: 'corrupt', fields: { summary: 'Different Summary' } } // Mismatch!
    await stage.faultFor(user, { operation: 'events.insert', fault: different })
    await stage.faultFor(user, { operation: 'events.patch', fault: different })

    const result = await GoogleCalendarService.createEvent(testUserId, testAuth, eventData)

    expect(result.success).toBe(false)
    expect(result.verified).toBe(false)
    expect(result.error).toContain('verification failed')

    // And the guide's "Invalid events cleaned up":
    expect(result.errorCode).toBe('VERIFICATION_FAILED')
    expect(result.cleanup).toBe('deleted')
    expect(result.verificationDetails).toMatchObject({
      mismatches: [{ field: 'summary', expected: 'Test Event', actual: 'Different Summary' }],
    })
    await expect(stage.live(user)).resolves.toEqual([])
  })

  test('a difference that is gone when it is put right once is a success, and said to be repaired', async () => {
    const different = { kind: 'corrupt', fields: { summary: 'Different Summary' } }
    await stage.faultFor(user, { operation: 'events.insert', nth: 1, fault: different })
    const result = await GoogleCalendarService.createEvent(testUserId, testAuth, eventData)
    expect(result).toMatchObject({ success: true, verified: true, repaired: true, event: { summary: 'Test Event' } })
    await expect(stage.live(user)).resolves.toMatchObject([{ summary: 'Test Event' }])
  })

  // The guide's own comparison of texts deletes every one of these.
  test.each([
    ['UTC times', eventData.start, eventData.end],
    [
      'a floating time with an IANA zone',
      { dateTime: '2025-07-01T10:00:00', timeZone: 'Europe/Berlin' },
      { dateTime: '2025-07-01T11:00:00', timeZone: 'Europe/Berlin' },
    ],
    ['whole days', { date: '2025-01-01' }, { date: '2025-01-02' }],
    ['fractions of a second', { dateTime: '2025-01-01T10:00:00.250Z' }, { dateTime: '2025-01-01T11:00:00.750Z' }],
    [
      'a recurring event',
      { dateTime: '2025-01-01T10:00:00', timeZone: 'America/New_York' },
      { dateTime: '2025-01-01T11:00:00', timeZone: 'America/New_York' },
      { recurrence: ['RRULE:FREQ=WEEKLY;COUNT=4'] },
    ],
  ])('a calendar in New York given %s is verified', async (_what, start, end, more = {}) => {
    const away = await stage.user({ timeZone: 'America/New_York' })
    const data = { summary: 'Test Event', start, end, ...more }
    const result = await GoogleCalendarService.createEvent(away.email, away.accessToken, data)
    expect(result).toMatchObject({ success: true, verified: true, repaired: false })
    await expect(stage.live(away)).resolves.toHaveLength(1)
  })

  test('verifyEvent finds the event it is asked for, and names what differs', async () => {
    const { eventId } = await GoogleCalendarService.createEvent(testUserId, testAuth, eventData)
    const right = await GoogleCalendarService.verifyEvent(testUserId, testAuth, eventId, eventData)
    expect(right).toMatchObject({ success: true, verified: true, eventId, event: { summary: 'Test Event' } })
    GoogleCalendarService.configure({ verification: { windowMs: 100 } })
    const wrong = await GoogleCalendarService.verifyEvent(testUserId, testAuth, eventId, { summary: 'Else' })
    expect(wrong).toMatchObject({
      success: false,
      verified: false,
      eventId,
      mismatches: [{ field: 'summary', expected: 'Else', actual: 'Test Event' }],
    })
  })

  test('verifyEvent of an event that is not there does not reject', async () => {
    GoogleCalendarService.configure({ verification: { windowMs: 100 } })
    const result = await GoogleCalendarService.verifyEvent(testUserId, testAuth, 'never1', eventData)
    expect(result).toMatchObject({ success: false, verified: false, eventId: 'never1', error: expect.any(String) })
  })

  test('the success carries what old call sites read', async () => {
    const result = await GoogleCalendarService.createEvent(testUserId, testAuth, eventData, {
      conferenceDataVersion: 1,
      sendNotifications: true,
      sendUpdates: 'all',
      waitForConsistency: true,
    })
    expect(result).toMatchObject({
      success: true,
      calendarType: 'primary',
      secondaryCalendarId: null,
      subscriptionPlan: null,
      eventHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect(result.event.id).toBe(result.eventId)
  })

  test('skipVerification, the guide’s rollback, makes the event and says that it was not verified', async () => {
    const result = await GoogleCalendarService.createEvent(testUserId, testAuth, eventData, { skipVerification: true })
    expect(result).toMatchObject({ success: true, verified: false })
    await expect(stage.live(user)).resolves.toHaveLength(1)
    const requests = await stage.requestsOf(user)
    expect(requests.map(({ operation }) => operation)).toEqual(['events.insert'])
  })
})
