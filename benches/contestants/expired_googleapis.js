'use strict'

// One client for all requests, or a client for each as the guide's getRefreshedOAuthClient makes it (fix 2), whose user's
// row is in this process's memory.

const { calendar } = require('@googleapis/calendar')
const { OAuth2Client } = require('google-auth-library')
const { oldTokenService } = require('../../reliability/backend/old_tokens')
const { given, serveRounds } = require('./rounds')

const { config } = given
const google = calendar({ version: 'v3', rootUrl: `${config.rootUrl}/` })
let row
const getRefreshedOAuthClient = oldTokenService({
  config,
  database: {
    findUser: async () => ({ ...row }),
    saveTokens: async (_user, tokens) => void Object.assign(row, tokens),
  },
})
let shared

function sharedClient(credentials) {
  const { clientId, clientSecret, tokenUrl } = config
  shared = new OAuth2Client({ clientId, clientSecret, endpoints: { oauth2TokenUrl: tokenUrl } })
  shared.setCredentials(credentials)
}

async function clientOf() {
  return given.shared ? shared : getRefreshedOAuthClient('teacher', { throwOnFailure: true, requireFresh: true })
}

serveRounds(async (_worker, { credentials }) => {
  if (row?.google_refresh_token !== credentials.refresh_token) {
    sharedClient(credentials)
    row = {
      google_refresh_token: credentials.refresh_token,
      google_access_token: credentials.access_token,
      google_token_expiry: credentials.expiry_date,
    }
  }
  const auth = await clientOf()
  const { data: made } = await google.events.insert({ auth, calendarId: 'primary', requestBody: given.event })
  const { data: read } = await google.events.get({ auth, calendarId: 'primary', eventId: made.id })
  if (read.id !== made.id) throw new Error('another event was read')
})
