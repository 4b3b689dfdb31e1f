'use strict'

// Fix 3 as the guide writes it, on Google's own client. Its database is this process's memory, and its token is fresh.

const { calendar } = require('@googleapis/calendar')
const { OAuth2Client } = require('google-auth-library')
const { writtenAttendees } = require('../../reliability/backend/written_attendees')
const { given, serveRounds } = require('./rounds')

const auth = new OAuth2Client()
auth.setCredentials(given.credentials)
const enrolled = new Set()

const updateClassEnrollment = writtenAttendees({
  calendar: calendar({ version: 'v3', rootUrl: `${given.config.rootUrl}/` }),
  getRefreshedOAuthClient: async () => auth,
  database: {
    findOwnerOfEvent: async () => 'teacher',
    findEnrollment: async (classId, student) => enrolled.has(`${classId} ${student}`),
    findSchoolClass: async (classId) => ({ eventIds: [classId] }),
    saveEnrollment: async (classId, student) => enrolled.add(`${classId} ${student}`),
  },
})

serveRounds((_worker, { eventId, students }) => updateClassEnrollment(eventId, students.pop()))
