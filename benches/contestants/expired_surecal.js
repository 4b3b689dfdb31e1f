'use strict'

const { OAuth2Client } = require('google-auth-library')
const { CalendarService } = require('../..')
const { given, serveRounds } = require('./rounds')

const service = new CalendarService({
  ...given.config,
  limits: { perUserPerMinute: 1000000, perProjectPerMinute: 1000000, maxInFlight: 8192 },
  resolveCalendar: () => ({ calendarId: 'primary', calendarType: 'primary' }),
})
const { clientId, clientSecret } = given.config
let shared

serveRounds(async (_worker, { credentials }) => {
  let auth = shared?.credentials.refresh_token === credentials.refresh_token ? shared : undefined
  if (!auth) {
    auth = new OAuth2Client({ clientId, clientSecret })
    auth.setCredentials(credentials)
    if (given.shared) shared = auth
  }
  const { verified } = await service.createEvent('teacher', auth, given.event)
  if (!verified) throw new Error('an event was not verified')
})
