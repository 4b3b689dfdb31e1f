'use strict'

// As the guide writes it: insert, then get; node-fetch over HTTP/1.1 with kept connections, which is its default.

const { calendar } = require('@googleapis/calendar')
const { OAuth2Client } = require('google-auth-library')
const { given, serveRounds } = require('./rounds')

const auth = new OAuth2Client({ clientId: 'client', clientSecret: 'secret' })
auth.setCredentials({ access_token: 'access-token', refresh_token: 'refresh', expiry_date: Date.now() + 3_600_000 })
const google = calendar({ version: 'v3', auth, rootUrl: `${given.url}/` })

// Where answers are lost: the guide's time limit, after which it sends again (fix 5).
const { timeoutMs: timeout } = given
async function patiently(send) {
  for (;;) {
    try {
      return await send()
    } catch (error) {
      if (!timeout || error.status) throw error
    }
  }
}

serveRounds(async () => {
  const { data: made } = await patiently(() =>
    google.events.insert(
      { calendarId: 'primary', conferenceDataVersion: 1, sendUpdates: 'all', requestBody: given.event },
      { timeout },
    ),
  )
  const { data: read } = await patiently(() =>
    google.events.get({ calendarId: 'primary', eventId: made.id }, { timeout }),
  )
  if (read.id !== made.id) throw new Error('another event was read')
})
