'use strict'

const { createHash } = require('node:crypto')
const { setTimeout: sleep } = require('node:timers/promises')
const { calendar: googleCalendar } = require('@googleapis/calendar')
const { EXCHANGE_LIMIT_MS } = require('./limits')
const { CALENDAR_RETRY_CONFIG, isRetryableError, retryDelay } = require('./old_retry')
const { agentWithTcpTimeout } = require('./tcp_timeout')

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
          await sleep(retryDelay(retries))
        }
      }
    }

    static isRetryableError(error) {
      return isRetryableError(error)
    }

    static async resolveCalendar(userId) {
      return resolveCalendar(userId)
    }
  }
}

module.exports = { beforeService }
