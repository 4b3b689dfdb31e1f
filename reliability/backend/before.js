'use strict'

const { calendar: googleCalendar } = require('@googleapis/calendar')
const { beforeService } = require('../../demo/before_service')
const { agentWithTcpTimeout } = require('../../demo/tcp_timeout')
const { oldTokenService } = require('./old_tokens')

/**
 * The backend before the guide's fixes: its "Problem" and "OLD CODE" texts, and around them the service that the demo
 * has too. A create is believed as soon as it is answered, a failed token refresh lets the request go on, attendees are
 * added without waiting, and no key is looked at.
 */
function beforeBackend({ config, limits, database, background }) {
  const { rootUrl } = config
  const agent = agentWithTcpTimeout(limits.tcpMs)
  const calendar = googleCalendar({ version: 'v3', rootUrl: `${rootUrl}/`, agent })
  const getRefreshedOAuthClient = oldTokenService({ config, database, agent })
  const GoogleCalendarService = beforeService({
    rootUrl,
    tcpTimeoutMs: limits.tcpMs,
    resolveCalendar: async (userId) => {
      const { calendarId } = await database.findUser(userId)
      return { calendarId, calendarType: 'primary', secondaryCalendarId: null, subscriptionPlan: 'school' }
    },
  })

  async function requireGoogleAccess(req, res, next) {
    const oauth2Client = await getRefreshedOAuthClient(req.userId, { throwOnFailure: false })
    if (!oauth2Client) {
      req.googleTokenError = { code: 'TOKEN_REFRESH_FAILED', message: 'Failed to refresh Google authentication' }
      return next()
    }
    req.googleOAuth2Client = oauth2Client
    next()
  }

  /** As in fix 3, without what the fix adds to it: the awaiting of it, and the reading back. */
  async function addAttendeeToEvent(eventId, attendeeEmail) {
    const auth = await getRefreshedOAuthClient(await database.findOwnerOfEvent(eventId))
    const { data: event } = await calendar.events.get({ auth, calendarId: 'primary', eventId })
    const existingAttendees = event.attendees || []
    if (existingAttendees.some((att) => att.email?.toLowerCase() === attendeeEmail.toLowerCase())) {
      return { success: true, alreadyAdded: true }
    }
    await calendar.events.patch({
      auth,
      calendarId: 'primary',
      eventId,
      requestBody: { attendees: [...existingAttendees, { email: attendeeEmail, responseStatus: 'needsAction' }] },
      sendNotifications: true,
      sendUpdates: 'all',
    })
    return { success: true, alreadyAdded: false }
  }

  return {
    routes(app) {
      app.post('/classes', requireGoogleAccess, async (req, res) => {
        const result = await GoogleCalendarService.createEvent(req.userId, req.googleOAuth2Client, req.eventData)
        await database.saveClass({ organizer_id: req.userId, idempotency_key: req.get('x-idempotency-key') })
        res.status(201).json({ status: 'success', eventId: result.event.id })
      })

      app.post('/enrollments', async (req, res) => {
        const { classId, student } = req.body
        if (await database.findEnrollment(classId, student)) return res.json({ status: 'success' })
        const { eventIds } = await database.findSchoolClass(classId)
        await database.saveEnrollment(classId, student)
        for (const eventId of eventIds) {
          // Fire and forget, as it stands there; told to the process alone, so that the audit waits for it.
          background(addAttendeeToEvent(eventId, student).catch(() => {}))
        }
        res.status(200).json({ status: 'success' })
      })
    },
    pending: async () => [],
  }
}

module.exports = { beforeBackend }
