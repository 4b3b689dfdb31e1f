'use strict'

const express = require('express')
const { isTokenFailure } = require('./token_failures')

/**
 * The backend under test. It does not know which service it was given: that is the only difference between the two.
 *
 * @param {object} given
 * @param {{createEvent: Function}} given.GoogleCalendarService
 * @param {(userId: string) => import('google-auth-library').OAuth2Client} given.authOf
 * @param {(userId: string) => string[]} [given.lessonsOf] the events of a teacher's course
 */
function classApp({ GoogleCalendarService, authOf, lessonsOf }) {
  const app = express()
  app.use(express.json())

  // Stands for the session: who is asking.
  app.use((req, res, next) => {
    req.userId = req.get('x-user')
    next()
  })

  app.post('/classes', async (req, res) => {
    const { title, start, end, timeZone, students } = req.body
    const eventData = {
      summary: title,
      start: { dateTime: start, timeZone },
      end: { dateTime: end, timeZone },
      attendees: students.map((email) => ({ email })),
    }
    try {
      const result = await GoogleCalendarService.createEvent(req.userId, authOf(req.userId), eventData, {
        idempotencyKey: req.get('x-idempotency-key'),
      })
      if (!result.success) return res.status(502).json({ status: 'error', message: result.error })
      return res.status(201).json({ status: 'success', eventId: result.event.id })
    } catch (error) {
      return fail(res, error)
    }
  })

  app.post('/courses/:teacher/enrollments', async (req, res) => {
    const { teacher } = req.params
    try {
      await GoogleCalendarService.enroll({
        userId: teacher,
        auth: authOf(teacher),
        events: lessonsOf(teacher),
        attendee: req.userId,
        idempotencyKey: req.get('x-idempotency-key'),
      })
      return res.status(201).json({ status: 'success' })
    } catch (error) {
      return fail(res, error)
    }
  })

  return app
}

const fail = (res, error) =>
  res.status(502).json({
    status: 'error',
    message: error.message,
    code: error.code,
    tokenFailure: isTokenFailure(error),
  })

module.exports = { classApp }
