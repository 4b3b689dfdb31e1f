'use strict'

// The old service of a backend that moves: the demo's, with the other methods as they are usually written beside it.

const { calendar: googleCalendar } = require('@googleapis/calendar')
const { beforeService } = require('../../demo/before_service')

/** Jest cannot import the one that Google's client would. */
const NODE_FETCH = { fetchImplementation: globalThis.fetch }

const primary = async () => ({
  calendarId: 'primary',
  calendarType: 'primary',
  secondaryCalendarId: null,
  subscriptionPlan: null,
})

/**
 * @param {string} rootUrl
 * @param {{userId: string, auth: unknown}} [system] whose calendar the two-argument methods work on
 */
function legacyService(rootUrl, system) {
  const calendar = googleCalendar({ version: 'v3', rootUrl: `${rootUrl}/`, ...NODE_FETCH })

  return class GoogleCalendarService extends beforeService({ rootUrl, resolveCalendar: primary, ...NODE_FETCH }) {
    static async updateEvent(userId, auth, eventId, changes) {
      const { calendarId } = await this.resolveCalendar(userId)
      const { data } = await this.executeWithRetry(() =>
        calendar.events.patch({ auth, calendarId, eventId, requestBody: changes, sendUpdates: 'all' }),
      )
      return { success: true, event: data }
    }

    /** Writes a whole old copy over the event, as some old code does. */
    static async replaceEvent(userId, auth, eventId, event) {
      const { calendarId } = await this.resolveCalendar(userId)
      const { data } = await calendar.events.update({ auth, calendarId, eventId, requestBody: event })
      return { success: true, event: data }
    }

    static async deleteEvent(userId, auth, eventId) {
      const { calendarId } = await this.resolveCalendar(userId)
      await this.executeWithRetry(() => calendar.events.delete({ auth, calendarId, eventId }))
      return { success: true }
    }

    static async addAttendeeToEvent(eventId, email) {
      return this.changeGuests(eventId, (guests) => [...guests, { email, responseStatus: 'needsAction' }])
    }

    static async removeAttendeeFromEvent(eventId, email) {
      return this.changeGuests(eventId, (guests) => guests.filter((guest) => guest.email !== email))
    }

    static async changeGuests(eventId, change) {
      const { userId, auth } = system
      const { calendarId } = await this.resolveCalendar(userId)
      const { data } = await calendar.events.get({ auth, calendarId, eventId })
      const attendees = change(data.attendees ?? [])
      await calendar.events.patch({ auth, calendarId, eventId, requestBody: { attendees }, sendUpdates: 'all' })
      return { success: true }
    }
  }
}

module.exports = { legacyService }
