'use strict'

const { calendar: googleCalendar } = require('@googleapis/calendar')
const { beforeService } = require('./before_service')
const { EXCHANGE_LIMIT_MS } = require('./limits')
const { agentWithTcpTimeout } = require('./tcp_timeout')

/**
 * The usual hand-written service with the usual enrollment: read the event, add the guest, write the list back, one lesson
 * after the other; if one fails, the error goes to the caller.
 *
 * @param {Parameters<typeof beforeService>[0]} config
 */
function beforeEnrollment(config) {
  const calendar = googleCalendar({ version: 'v3', rootUrl: `${config.rootUrl}/` })
  const agent = agentWithTcpTimeout(EXCHANGE_LIMIT_MS)

  return class GoogleCalendarService extends beforeService(config) {
    static async addAttendeeToEvent(eventId, email, { userId, auth }) {
      const { calendarId } = await this.resolveCalendar(userId)
      const { data } = await this.executeWithRetry(() => calendar.events.get({ auth, calendarId, eventId }, { agent }))
      const attendees = [...(data.attendees ?? []), { email }]
      await this.executeWithRetry(() =>
        calendar.events.patch({ auth, calendarId, eventId, requestBody: { attendees }, sendUpdates: 'all' }, { agent }),
      )
    }

    static async enroll({ userId, auth, events, attendee }) {
      for (const eventId of events) await this.addAttendeeToEvent(eventId, attendee, { userId, auth })
      return { success: true }
    }
  }
}

module.exports = { beforeEnrollment }
