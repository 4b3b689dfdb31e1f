'use strict'

const { OAuth2Client } = require('google-auth-library')
const { CalendarService } = require('../..')
const { lesson } = require('./lesson')
const { given, serveRounds } = require('./rounds')

const service = new CalendarService({
  rootUrl: given.url,
  tokenUrl: `${given.url}/token`,
  clientId: 'client',
  clientSecret: 'secret',
  ca: given.ca,
  limits: given.limits ?? { perUserPerMinute: 1000000, perProjectPerMinute: 1000000, maxInFlight: 8192 },
  ...given.config,
  resolveCalendar: async () => ({ calendarId: 'primary', calendarType: 'primary', subscriptionPlan: 'school' }),
})
const auth = new OAuth2Client({ clientId: 'client', clientSecret: 'secret' })
auth.setCredentials({ access_token: 'access-token', refresh_token: 'refresh', expiry_date: Date.now() + 3_600_000 })

// A large one does not fit among a process's arguments.
const event = given.event ?? lesson(given.attendees)

serveRounds(async (worker) => {
  const { verified } = await service.createEvent(`teacher${worker}`, auth, event)
  if (!verified) throw new Error('an event was not verified')
})
