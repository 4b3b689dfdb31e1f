'use strict'

const { OAuth2Client } = require('google-auth-library')

/** The guide calls `needsRefresh` and does not show it: the usual five minutes. */
const needsRefresh = (expiry) => !expiry || expiry - Date.now() < 5 * 60 * 1000

/**
 * `getRefreshedOAuthClient` of the guide's fix 2, step 3. Without `requireFresh` it is also what stood there before the
 * fix. Mended, for it cannot run as it stands: `forceRefresh` is a `const` there that is assigned to.
 *
 * @param {{config: object, database: object, agent: object}} given
 */
function oldTokenService({ config, database, agent }) {
  return async function getRefreshedOAuthClient(userEmail, options = {}) {
    const { throwOnFailure = false, requireFresh = false } = options
    let { forceRefresh = false } = options
    try {
      const user = await database.findUser(userEmail)
      if (!user || !user.google_refresh_token) {
        if (throwOnFailure) throw new Error('User has no Google refresh token')
        return null
      }
      const oauth2Client = new OAuth2Client({
        clientId: config.clientId,
        clientSecret: config.clientSecret,
        endpoints: { oauth2TokenUrl: config.tokenUrl },
        transporterOptions: { agent },
      })
      oauth2Client.setCredentials({
        refresh_token: user.google_refresh_token,
        access_token: user.google_access_token,
        expiry_date: user.google_token_expiry,
      })
      if (requireFresh) {
        const minutesUntilExpiry = (user.google_token_expiry - Date.now()) / (1000 * 60)
        if (minutesUntilExpiry < 10) forceRefresh = true
      }
      if (forceRefresh || needsRefresh(user.google_token_expiry)) {
        const newTokens = await oauth2Client.refreshAccessToken()
        await database.saveTokens(userEmail, {
          google_access_token: newTokens.credentials.access_token,
          google_token_expiry: newTokens.credentials.expiry_date,
        })
      }
      return oauth2Client
    } catch (error) {
      if (throwOnFailure) throw error
      return null
    }
  }
}

module.exports = { oldTokenService }
