'use strict'

const { CalendarError, validation } = require('./errors')

/** What RFC 6750 allows in a bearer token is less; this is what an HTTP header can carry without harm. */
const HEADER_SAFE = /^[\x21-\x7e]+$/

const BEARER = /^Bearer\s+(\S+)\s*$/i

function authRequired(message) {
  return new CalendarError({ code: 'GOOGLE_AUTH_REQUIRED', outcome: 'not-sent', message })
}

const missing = () =>
  authRequired(
    'No Google access token: the auth given (or what tokenStore.load returned) holds none. Nothing was sent; ' +
      'let the user connect the Google account again.',
  )

/**
 * An auth object's own method failed. Its error is dropped: those of Google's clients carry the request, and with it
 * the refresh token.
 */
function refreshFailed(error) {
  const data = error?.response?.data?.error
  if (data === 'invalid_grant' || error?.message === 'invalid_grant') {
    return new CalendarError({
      code: 'GOOGLE_AUTH_REQUIRED',
      outcome: 'not-sent',
      reason: 'invalid_grant',
      message:
        'Google no longer accepts the refresh token (invalid_grant). Nothing was sent; let the user connect again.',
    })
  }
  return new CalendarError({
    code: 'GOOGLE_AUTH_FAILED',
    outcome: 'not-sent',
    message: 'The auth object could not give an access token. Nothing was sent; try again, then reconnect the account.',
  })
}

function checked(token) {
  if (typeof token !== 'string' || token === '') throw missing()
  if (!HEADER_SAFE.test(token)) throw validation('auth', 'must hold an access token of visible ASCII characters')
  return token
}

/** `Authorization` of a Headers object, a Map or a plain object. */
function bearerOf(headers) {
  const line =
    typeof headers?.get === 'function'
      ? headers.get('authorization')
      : (headers?.authorization ?? headers?.Authorization)
  return typeof line === 'string' ? BEARER.exec(line)?.[1] : undefined
}

/**
 * The access token of `auth`: a string, plain `{ access_token }`, an OAuth2Client (its credentials first), or any
 * object with `getAccessToken()` or `getRequestHeaders()`.
 *
 * @throws {CalendarError} GOOGLE_AUTH_REQUIRED, GOOGLE_AUTH_FAILED or VALIDATION_FAILED, each with nothing sent
 */
async function accessTokenOf(auth) {
  if (typeof auth === 'string') return checked(auth)
  if (auth === null || auth === undefined) throw missing()
  if (typeof auth !== 'object' && typeof auth !== 'function') {
    throw validation('auth', 'must be an access token, credentials, an auth client or null')
  }
  try {
    return checked(await tokenOfObject(auth))
  } catch (error) {
    // A caller's getter or method; a client of surecal's own may already say it better.
    throw CalendarError.is(error) ? error : refreshFailed(error)
  }
}

async function tokenOfObject(auth) {
  const held = auth.credentials?.access_token ?? auth.access_token
  if (held) return held
  if (typeof auth.getAccessToken === 'function') {
    const answer = await auth.getAccessToken()
    return typeof answer === 'string' ? answer : (answer?.token ?? answer?.access_token)
  }
  if (typeof auth.getRequestHeaders === 'function') return bearerOf(await auth.getRequestHeaders())
  return undefined
}

module.exports = { accessTokenOf, authRequired }
