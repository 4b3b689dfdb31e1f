'use strict'

const { createHash } = require('node:crypto')
const { setTimeout: sleep } = require('node:timers/promises')
const { calendar: googleCalendar } = require('@googleapis/calendar')
const { EXCHANGE_LIMIT_MS } = require('./limits')
const { agentWithTcpTimeout } = require('./tcp_timeout')

const CALENDAR_RETRY_CONFIG = { MAX_RETRIES: 3, BASE_DELAY_MS: 200, BACKOFF_MULTIPLIER: 2, MAX_DELAY_MS: 5000 }
const RETRYABLE_CODES = ['ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT', 'EPIPE', 'EAI_AGAIN']
const RETRYABLE_STATUSES = [429, 500, 502, 503, 504]
const RATE_LIMIT_REASONS = ['rateLimitExceeded', 'userRateLimitExceeded']

/**
 * The usual hand-written service, as it stands in many backends: an insert on Google's own client, tried again after
 * any error that looks temporary, and believed as soon as it is answered. It ignores `options.idempotencyKey`, and has
 * no timeout but TCP's, which the demo shortens.
 *
 * @param {object} config
 * @param {string} config.rootUrl
 * @param {(userId: string) => Promise<object>} config.resolveCalendar
 * @param {Function} [config.fetchImplementation]
 * @param {number} [config.tcpTimeoutMs] silence after which a connection is dead
 */
function beforeService({ rootUrl, resolveCalendar, fetchImplementation, tcpTimeoutMs = EXCHANGE_LIMIT_MS }) {
  const calendar = googleCalendar({ version: 'v3', rootUrl: `${rootUrl}/` })
  const agent = agentWithTcpTimeout(tcpTimeoutMs)

  return class GoogleCalendarService {
    static async createEvent(userId, auth, eventData, options = {}) {
      const { calendarId, calendarType, secondaryCalendarId, subscriptionPlan } = await this.resolveCalendar(userId)
      const eventHash = createHash('sha256').update(JSON.stringify(eventData)).digest('hex')
      const result = await this.executeWithRetry(async () => {
        return await calendar.events.insert(
          {
            auth,
            calendarId,
            requestBody: eventData,
            conferenceDataVersion: options.conferenceDataVersion || 1,
            sendNotifications: options.sendNotifications || true,
            sendUpdates: options.sendUpdates || 'all',
          },
          { agent, fetchImplementation },
        )
      })
      // Returns immediately: assumes success.
      return {
        success: true,
        event: result.data,
        calendarType,
        secondaryCalendarId: secondaryCalendarId || null,
        subscriptionPlan,
        eventHash,
      }
    }

    static async executeWithRetry(fn, maxRetries = CALENDAR_RETRY_CONFIG.MAX_RETRIES) {
      let retries = 0
      for (;;) {
        try {
          return await fn()
        } catch (error) {
          if (!this.isRetryableError(error) || retries >= maxRetries) throw error
          retries++
          const { BASE_DELAY_MS, BACKOFF_MULTIPLIER, MAX_DELAY_MS } = CALENDAR_RETRY_CONFIG
          await sleep(Math.min(BASE_DELAY_MS * Math.pow(BACKOFF_MULTIPLIER, retries), MAX_DELAY_MS))
        }
      }
    }

    static isRetryableError(error) {
      if (RETRYABLE_CODES.includes(error.code)) return true
      const status = error.response?.status
      if (RETRYABLE_STATUSES.includes(status)) return true
      const reason = error.response?.data?.error?.errors?.[0]?.reason
      return status === 403 && RATE_LIMIT_REASONS.includes(reason)
    }

    static async resolveCalendar(userId) {
      return resolveCalendar(userId)
    }
  }
}

module.exports = { beforeService }
