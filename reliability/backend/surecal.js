'use strict'

const { CalendarService } = require('../..')

/**
 * The same backend with surecal, as its README says: the middlewares on the route, the key handed on, an enrollment as
 * one transaction with its row.
 */
function surecalBackend({ config, limits, database, storePath }) {
  const service = new CalendarService({
    ...config,
    store: { sqlite: storePath },
    timeoutMs: limits.surecalCallMs,
    attemptTimeoutMs: limits.surecalExchangeMs,
    attendees: { timeoutMs: limits.surecalAttendeeMs },
    leaseMs: limits.surecalLeaseMs,
    // The emulator has no quota, and neither has the other contestants' code: to wait for one would only take time.
    limits: { perUserPerMinute: 1_000_000, perProjectPerMinute: 1_000_000 },
    resolveCalendar: async (userId) => ({ calendarId: (await database.findUser(userId)).calendarId }),
    tokenStore: {
      load: async (email) => {
        const user = await database.findUser(email)
        return {
          refresh_token: user.google_refresh_token,
          access_token: user.google_access_token,
          expiry_date: user.google_token_expiry,
        }
      },
      save: (email, tokens) =>
        database.saveTokens(email, {
          google_refresh_token: tokens.refresh_token,
          google_access_token: tokens.access_token,
          google_token_expiry: tokens.expiry_date,
        }),
    },
    undo: { enrollmentRow: ({ classId, student }) => database.deleteEnrollment(classId, student) },
  })

  return {
    routes(app) {
      app.use(service.idempotency())

      app.post('/classes', service.requireGoogleAuth(), async (req, res) => {
        const { idempotencyKey } = req
        const result = await service.createEvent(req.userId, req.googleOAuth2Client, req.eventData, { idempotencyKey })
        if (!result.success) {
          return res.status(502).json({ status: 'error', message: result.error, code: result.errorCode })
        }
        const { eventId, verified } = result
        await database.saveClass({
          organizer_id: req.userId,
          idempotency_key: req.get('x-idempotency-key'),
          event_id: eventId,
        })
        res.status(201).json({ status: 'success', verified, eventId })
      })

      app.post('/enrollments', async (req, res) => {
        const { classId, student } = req.body
        const { teacher, eventIds } = await database.findSchoolClass(classId)
        await service.transaction(
          async (tx) => {
            await Promise.all(eventIds.map((eventId) => tx.addAttendee({ eventId, attendee: student })))
            await tx.step('enrollmentRow', { classId, student }, () => database.saveEnrollment(classId, student))
          },
          { userId: teacher, auth: null, idempotencyKey: req.idempotencyKey, timeoutMs: limits.surecalEnrollMs },
        )
        res.status(200).json({ status: 'success', verified: true })
      })
      app.use(service.errorHandler())
    },
    pending: () => service.pending(),
  }
}

module.exports = { surecalBackend }
