'use strict'

// Google's own Node client, pointed at the emulator. It knows nothing of surecal and judges the emulator.

const { calendar } = require('@googleapis/calendar')
const { OAuth2Client } = require('google-auth-library')

/**
 * Every status is an answer: nothing is retried and nothing throws. `fetch` is Node's own, for the client would import
 * another one, which Jest cannot.
 */
const AS_IT_COMES = { retry: false, validateStatus: () => true, fetchImplementation: globalThis.fetch }

/** `calendar_v3.Calendar` with the access token given. */
function googleClient(google, accessToken) {
  const auth = new OAuth2Client()
  if (accessToken) auth.setCredentials({ access_token: accessToken })
  return calendar({ version: 'v3', rootUrl: google.url, auth: accessToken ? auth : undefined, ...AS_IT_COMES })
}

/** The reply of a call in short: `{ status, body, headers }`. */
async function told(reply) {
  const { status, data, headers } = await reply
  return { status, body: data, headers: new Headers(headers) }
}

/** The one error of an error body in Google's shape. */
const reasonOf = ({ body }) => body.error?.errors?.[0]?.reason

module.exports = { googleClient, told, reasonOf }
