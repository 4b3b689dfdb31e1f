'use strict'

const { CalendarError, validation } = require('./errors')

/** What RFC 6750 allows in a bearer token is less; this is what an HTTP header can carry without harm. */
const HEADER_SAFE = /^[\x21-\x7e]+$/

const BEARER = /^Bearer\s+(\S+)\s*$/i

/**
 * What google-auth-library's JWT, Compute, Impersonated and IdTokenClient hold in place of a refresh token
 * (`jwt-placeholder`, …). It renews nothing, and must never be saved.
 */
const PLACEHOLDER = /-placeholder$/

/** Milliseconds a token of a self-renewing client must live to be used without asking the client. */
const LIVES_MS = 300000

function authRequired(message, more) {
  return new CalendarError({ code: 'GOOGLE_AUTH_REQUIRED', outcome: 'not-sent', message, ...more })
}

const missing = () =>
  authRequired(
    'No Google access token: the auth given holds none, nor a refresh token. Nothing was sent; let the user connect ' +
      'the Google account again.',
  )

/**
 * An auth object's own method failed. Its error is dropped: those of Google's clients carry the request, and with it
 * the refresh token, or the assertion.
 */
function refreshFailed(error) {
  const data = error?.response?.data?.error
  if (data === 'invalid_grant' || error?.message === 'invalid_grant') {
    return authRequired(
      'Google no longer accepts the refresh token (invalid_grant). Nothing was sent; let the user connect again.',
      { reason: 'invalid_grant' },
    )
  }
  return new CalendarError({
    code: 'GOOGLE_AUTH_FAILED',
    outcome: 'not-sent',
    message: 'The auth object could not give an access token. Nothing was sent; try again, then reconnect the account.',
  })
}

const isObject = (value) => value !== null && (typeof value === 'object' || typeof value === 'function')
const filled = (value) => value !== undefined && value !== null && value !== ''

function checked(token) {
  if (!filled(token)) throw missing()
  if (typeof token !== 'string' || !HEADER_SAFE.test(token)) {
    throw validation('auth', 'must hold an access token of visible ASCII characters')
  }
  return token
}

/** Unix milliseconds of an expiry date: a number, a Date, or text of either kind. Undefined: not known. */
function unixMs(date) {
  if (!filled(date)) return undefined
  const ms = date instanceof Date ? date.getTime() : typeof date === 'string' ? msOfText(date) : date
  if (typeof ms === 'number' && Number.isFinite(ms)) return Math.max(0, ms)
  throw validation('auth.expiry_date', 'must be Unix time in milliseconds')
}

const msOfText = (text) => (/^\d+$/.test(text) ? Number(text) : Date.parse(text))

/**
 * The tokens that `credentials` holds, by Google's names; what is not there is left out.
 *
 * @throws {CalendarError} VALIDATION_FAILED
 */
function tokensIn(credentials) {
  const { access_token: access, refresh_token: refresh, expiry_date: date } = credentials
  const tokens = {}
  if (filled(access)) tokens.access_token = checked(access)
  if (filled(refresh)) {
    if (typeof refresh !== 'string') throw validation('auth.refresh_token', 'must be a string')
    if (!PLACEHOLDER.test(refresh)) tokens.refresh_token = refresh
  }
  const expiry = unixMs(date)
  if (expiry !== undefined) tokens.expiry_date = expiry
  return tokens
}

/** As the native part names them. One literal: V8 made a new shape for each call of what was spread into another. */
const crossing = ({ access_token: accessToken, refresh_token: refreshToken, expiry_date: expiryDate }, client) => ({
  accessToken,
  refreshToken,
  expiryDate,
  client,
  authRef: undefined,
})

/** Google's JSON key of a service account; `subject` and `scopes` are the caller's additions. */
function serviceAccountOf(key) {
  const { client_email: clientEmail, private_key: privateKey, private_key_id: privateKeyId, subject, scopes } = key
  const account = { clientEmail, privateKey, privateKeyId, subject }
  for (const [name, value] of Object.entries({ client_email: clientEmail, private_key: privateKey })) {
    if (typeof value !== 'string' || value === '') throw validation(`auth.${name}`, 'must be a non-empty string')
  }
  for (const [name, value] of Object.entries({ private_key_id: privateKeyId, subject })) {
    if (filled(value) && typeof value !== 'string') throw validation(`auth.${name}`, 'must be a string')
  }
  if (filled(scopes)) {
    const list = typeof scopes === 'string' ? scopes.split(/\s+/).filter(Boolean) : scopes
    if (!Array.isArray(list) || list.some((scope) => typeof scope !== 'string')) {
      throw validation('auth.scopes', 'must be a string or an array of strings')
    }
    account.scopes = [...list]
  }
  return account
}

const asks = (auth) => typeof auth.getAccessToken === 'function' || typeof auth.getRequestHeaders === 'function'

/**
 * Whether a client renews its token with a refresh token alone, so that it can be done natively and once for all: an
 * OAuth2Client of any version, but not its subclasses that hold a placeholder, nor one with a handler of the app's own.
 */
function renewsByGrant(auth) {
  if (typeof auth.generateAuthUrl !== 'function' || typeof auth.refreshHandler === 'function') return false
  return !PLACEHOLDER.test(auth.credentials?.refresh_token ?? '')
}

/** The app's OAuth client inside an OAuth2Client, unless it is the service's own. */
function clientIn(auth, own) {
  const { _clientId: id, _clientSecret: secret } = auth
  if (!filled(id) || !filled(secret) || (id === own.clientId && secret === own.clientSecret)) return undefined
  return { id: String(id), secret: String(secret) }
}

/**
 * What a call's `auth` is, read at once: whatever the caller does to the object later, the call goes on with this.
 * - `args`: what crosses to the native part
 * - `writeBack`: the client that is to hold refreshed tokens
 * - `source`: the client that has to be asked for a token first
 *
 * @param {unknown} auth neither null nor undefined
 * @param {{clientId?: string, clientSecret?: string}} own the app's OAuth client of the configuration
 * @throws {CalendarError} GOOGLE_AUTH_REQUIRED or VALIDATION_FAILED
 */
function readAuth(auth, own) {
  if (typeof auth === 'string') return { args: { accessToken: checked(auth) } }
  if (!isObject(auth)) throw validation('auth', 'must be an access token, credentials, an auth client or null')
  try {
    return readObject(auth, own)
  } catch (error) {
    // A getter of the caller's; its words may hold anything.
    throw CalendarError.is(error) ? error : validation('auth', 'must not have a getter that throws')
  }
}

function readObject(auth, own) {
  if (auth.type === 'service_account') return { args: { serviceAccount: serviceAccountOf(auth) } }
  const held = isObject(auth.credentials) ? tokensIn(auth.credentials) : undefined
  if (asks(auth) && !renewsByGrant(auth)) {
    const lives = held?.access_token && !(held.expiry_date < Date.now() + LIVES_MS)
    return { args: { accessToken: lives ? held.access_token : undefined, asks: true }, source: auth }
  }
  if (held) {
    const writeBack = typeof auth.setCredentials === 'function' ? auth : undefined
    return { args: crossing(held, clientIn(auth, own)), writeBack }
  }
  const tokens = tokensIn(auth)
  if (!tokens.access_token && !tokens.refresh_token) throw missing()
  return { args: crossing(tokens) }
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
 * The access token that a client gives when it is asked.
 *
 * @throws {CalendarError} GOOGLE_AUTH_REQUIRED, GOOGLE_AUTH_FAILED or VALIDATION_FAILED, each with nothing sent
 */
async function askedToken(client) {
  try {
    if (typeof client.getAccessToken !== 'function') return checked(bearerOf(await client.getRequestHeaders()))
    const answer = await client.getAccessToken()
    return checked(typeof answer === 'string' ? answer : (answer?.token ?? answer?.access_token))
  } catch (error) {
    // A client of surecal's own may already say it better.
    throw CalendarError.is(error) ? error : refreshFailed(error)
  }
}

/**
 * A token other than `refused`, which Google answered 401 to. Clients of google-auth-library go by their expiry date,
 * so that is what is changed, and only while they still hold the refused token.
 */
async function renewedToken(client, refused) {
  const token = await askedToken(client)
  if (token !== refused) return token
  try {
    const holder = typeof client.getClient === 'function' ? await client.getClient() : client // GoogleAuth has clients.
    const { credentials } = holder
    if (isObject(credentials) && typeof holder.setCredentials === 'function') {
      holder.setCredentials({ ...credentials, expiry_date: 1 })
    }
  } catch (error) {
    throw refreshFailed(error)
  }
  return askedToken(client)
}

/**
 * What `tokenStore.load` answered, as the native part reads it; null for nobody.
 *
 * @throws {CalendarError} VALIDATION_FAILED
 */
function storedTokens(answer) {
  if (!filled(answer)) return null
  if (typeof answer === 'string') return { access_token: checked(answer) }
  if (!isObject(answer)) throw validation('tokenStore.load', 'must give credentials or null')
  return tokensIn(isObject(answer.credentials) ? answer.credentials : answer)
}

module.exports = { authRequired, readAuth, askedToken, renewedToken, storedTokens }
