'use strict'

// The guide's five fixes, as written, on Google's own client. Left out are its console lines. Mended is only what cannot
// run at all, and each mend is told where it is made.

const { calendar: googleCalendar } = require('@googleapis/calendar')
const { createHash } = require('node:crypto')
const { setTimeout: sleep } = require('node:timers/promises')
const { CALENDAR_RETRY_CONFIG, isRetryableError, retryDelay } = require('../../demo/old_retry')
const { agentWithTcpTimeout } = require('../../demo/tcp_timeout')
const { oldTokenService } = require('./old_tokens')
const { idempotencyMiddleware } = require('./written_idempotency')
const { writtenAttendees } = require('./written_attendees')

/** Fix 5, step 1. */
async function withTimeout(promise, timeoutMs, operationName = 'Operation') {
  let timeoutHandle
  const timeoutPromise = new Promise((_, reject) => {
    timeoutHandle = setTimeout(() => {
      reject(new Error(`${operationName} timed out after ${timeoutMs}ms`))
    }, timeoutMs)
  })
  try {
    const result = await Promise.race([promise, timeoutPromise])
    clearTimeout(timeoutHandle)
    return result
  } catch (error) {
    clearTimeout(timeoutHandle)
    throw error
  }
}

function googleCalendarService({ calendar, operationTimeoutMs, resolveCalendar }) {
  return class GoogleCalendarService {
    /** Fix 1, step 2, with the insert of its "Problem". */
    static async createEvent(userId, auth, eventData, options = {}) {
      const { calendarId, calendarType, secondaryCalendarId, subscriptionPlan } = await this.resolveCalendar(userId)
      const eventHash = createHash('sha256').update(JSON.stringify(eventData)).digest('hex')
      const result = await this.executeWithRetry(async () => {
        return await calendar.events.insert({
          auth,
          calendarId,
          resource: eventData,
          conferenceDataVersion: options.conferenceDataVersion || 1,
          sendNotifications: options.sendNotifications || true,
          sendUpdates: options.sendUpdates || 'all',
        })
      })
      const createdEventId = result.data.id
      const verification = await this.verifyEvent(userId, auth, createdEventId, eventData, { waitForConsistency: true })
      if (!verification.verified) {
        try {
          await this.deleteEvent(userId, auth, createdEventId, { sendNotifications: false })
        } catch {
          // "Failed to clean up unverified event": a console line there.
        }
        return {
          success: false,
          error: 'Event verification failed: ' + verification.error,
          errorCode: 'VERIFICATION_FAILED',
          verificationDetails: verification,
        }
      }
      return {
        success: true,
        event: verification.event,
        calendarType,
        secondaryCalendarId: secondaryCalendarId || null,
        subscriptionPlan,
        eventHash,
        verified: true,
      }
    }

    /** Fix 1, step 1. */
    static async verifyEvent(userId, auth, eventId, expectedData, options = {}) {
      try {
        const { calendarId } = await this.resolveCalendar(userId)
        if (options.waitForConsistency) await sleep(1000)
        const result = await this.executeWithRetry(async () => {
          return await calendar.events.get({ auth, calendarId, eventId })
        })
        if (!result || !result.data) {
          return { success: false, verified: false, error: 'Event not found after creation', eventId }
        }
        const fetchedEvent = result.data
        const mismatches = []
        if (expectedData.summary && fetchedEvent.summary !== expectedData.summary) {
          mismatches.push({ field: 'summary', expected: expectedData.summary, actual: fetchedEvent.summary })
        }
        if (expectedData.start?.dateTime && fetchedEvent.start?.dateTime !== expectedData.start.dateTime) {
          mismatches.push({
            field: 'start.dateTime',
            expected: expectedData.start.dateTime,
            actual: fetchedEvent.start?.dateTime,
          })
        }
        if (expectedData.end?.dateTime && fetchedEvent.end?.dateTime !== expectedData.end.dateTime) {
          mismatches.push({
            field: 'end.dateTime',
            expected: expectedData.end.dateTime,
            actual: fetchedEvent.end?.dateTime,
          })
        }
        if (mismatches.length > 0) {
          return { success: false, verified: false, error: 'Event data does not match expected', mismatches, eventId }
        }
        return { success: true, verified: true, event: fetchedEvent, eventId }
      } catch (error) {
        return { success: false, verified: false, error: error.message || 'Verification failed', eventId }
      }
    }

    /** Called by fix 1 and not shown there. */
    static async deleteEvent(userId, auth, eventId, options = {}) {
      const { calendarId } = await this.resolveCalendar(userId)
      await this.executeWithRetry(async () => {
        return await calendar.events.delete({ auth, calendarId, eventId, sendNotifications: options.sendNotifications })
      })
      return { success: true }
    }

    /** Fix 5, step 2; "existing retry logic" is the same wait. */
    static async executeWithRetry(fn, maxRetries = CALENDAR_RETRY_CONFIG.MAX_RETRIES) {
      let retries = 0
      let lastError = null
      while (retries <= maxRetries) {
        try {
          return await withTimeout(fn(), operationTimeoutMs, 'Google Calendar API call')
        } catch (error) {
          lastError = error
          if (error.message.includes('timed out')) {
            if (retries < maxRetries) {
              retries++
              await sleep(retryDelay(retries))
              continue
            }
          }
          if (this.isRetryableError(error) && retries < maxRetries) {
            retries++
            await sleep(retryDelay(retries))
          } else {
            throw error
          }
        }
      }
      throw lastError || new Error('Failed after max retries')
    }

    static isRetryableError(error) {
      return isRetryableError(error)
    }

    static async resolveCalendar(userId) {
      return resolveCalendar(userId)
    }
  }
}

/** Fix 2, step 2. */
function tokenRefreshMiddleware(getRefreshedOAuthClient) {
  return async (req, res, next) => {
    const userEmail = req.userId
    try {
      const oauth2Client = await getRefreshedOAuthClient(userEmail, { throwOnFailure: true, requireFresh: true })
      if (!oauth2Client) throw new Error('OAuth client is null despite successful refresh')
      req.googleOAuth2Client = oauth2Client
      req.googleTokenValid = true
      next()
    } catch (tokenError) {
      const needsReauth =
        tokenError.message.includes('invalid_grant') || tokenError.message.includes('Token has been expired or revoked')
      return res.status(401).json({
        status: 'error',
        message: needsReauth
          ? 'Your Google Calendar connection has expired. Please reconnect.'
          : 'Failed to refresh your Google Calendar connection.',
        code: 'GOOGLE_AUTH_FAILED',
        requiresReauth: needsReauth,
        details: { error: tokenError.message, userEmail, timestamp: new Date().toISOString() },
      })
    }
  }
}

function asWrittenBackend({ config, limits, database }) {
  const agent = agentWithTcpTimeout(limits.tcpMs)
  // Fix 5, step 3.
  const calendar = googleCalendar({
    version: 'v3',
    timeout: limits.asWrittenCallMs,
    retryConfig: { retry: 0 },
    rootUrl: `${config.rootUrl}/`,
    agent,
  })
  const getRefreshedOAuthClient = oldTokenService({ config, database, agent })
  const GoogleCalendarService = googleCalendarService({
    calendar,
    operationTimeoutMs: limits.asWrittenCallMs,
    resolveCalendar: async (userId) => {
      const { calendarId } = await database.findUser(userId)
      return { calendarId, calendarType: 'primary', secondaryCalendarId: null, subscriptionPlan: 'school' }
    },
  })
  const updateClassEnrollment = writtenAttendees({ calendar, database, getRefreshedOAuthClient })

  return {
    routes(app) {
      app.post(
        '/classes',
        idempotencyMiddleware,
        tokenRefreshMiddleware(getRefreshedOAuthClient),
        // Fix 4, step 4.
        async (req, res) => {
          const idempotencyKey = req.get('x-idempotency-key')
          const existingClass = await database.findClassByKey(req.userId, idempotencyKey)
          if (existingClass)
            return res.status(200).json({ status: 'success', verified: true, eventId: existingClass.event_id })
          const result = await GoogleCalendarService.createEvent(req.userId, req.googleOAuth2Client, req.eventData)
          if (!result.success) {
            return res.status(500).json({ status: 'error', message: result.error, code: result.errorCode })
          }
          const event_id = result.event.id
          await database.saveClass({ organizer_id: req.userId, idempotency_key: idempotencyKey, event_id })
          res.status(201).json({ status: 'success', verified: result.verified, eventId: event_id })
        },
      )

      app.post('/enrollments', async (req, res) => {
        const { classId, student } = req.body
        await updateClassEnrollment(classId, student)
        res.status(200).json({ status: 'success', verified: true })
      })
    },
    pending: async () => [],
  }
}

module.exports = { asWrittenBackend }
