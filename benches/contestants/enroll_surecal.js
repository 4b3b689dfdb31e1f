'use strict'

const { OAuth2Client } = require('google-auth-library')
const { CalendarService } = require('../..')
const { given, serveRounds } = require('./rounds')

const service = new CalendarService({
  ...given.config,
  limits: { perUserPerMinute: 1000000, perProjectPerMinute: 1000000, maxInFlight: 8192 },
})
const auth = new OAuth2Client()
auth.setCredentials(given.credentials)

serveRounds(async (_worker, { eventId, students }) => {
  await service.addAttendeeToEvent(eventId, students.pop(), { userId: 'teacher', auth, calendarId: 'primary' })
})
