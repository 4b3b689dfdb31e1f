'use strict'

const { OAuth2Client } = require('google-auth-library')

const SCOPE = 'https://www.googleapis.com/auth/calendar.events'

/**
 * Google itself, for an OAuth client of type "web application".
 *
 * @param {{clientId: string, clientSecret: string, redirectUri: string}} credentials
 */
function realGoogle({ clientId, clientSecret, redirectUri }) {
  const client = new OAuth2Client({ clientId, clientSecret, redirectUri })
  return {
    config: { clientId, clientSecret, redirectUri },

    consentUrl: ({ state, email }) =>
      // Without "consent" Google gives the refresh token the first time only.
      client.generateAuthUrl({ scope: SCOPE, access_type: 'offline', prompt: 'consent', state, login_hint: email }),

    async exchange(code) {
      const { tokens } = await client.getToken(code)
      const { refresh_token, access_token, expiry_date } = tokens
      return { refresh_token, access_token, expiry_date }
    },
  }
}

module.exports = { realGoogle }
