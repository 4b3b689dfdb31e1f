'use strict'

const { CalendarError, configuration } = require('../errors')

const OPTIONS = { user: 'function', throwOnFailure: 'boolean', requireFresh: 'boolean', timeoutMs: 'number' }

const defaultUser = (req) => req.user?.email ?? req.userEmail ?? req.userId ?? req.user?.id

/** What the second 401 says when the error is not one of ours, whose words may hold anything. */
const UNKNOWN_FAILURE = 'The Google access token could not be refreshed.'

/**
 * Express middleware: lets a request on with a fresh token in `req.googleOAuth2Client`, or answers 401. index.d.ts is
 * its manual. It calls `next` at most once, and never with an error.
 *
 * @param {object} [options]
 * @param {object} service
 * @param {(user: unknown, options: object) => Promise<object | null>} service.refresh
 * @param {() => boolean} service.throwsOnFailure the configuration's `tokens.throwOnFailure` as it is now
 * @param {(level: string, message: string, more: object) => void} service.log
 */
function requireGoogleAuth(options, { refresh, throwsOnFailure, log }) {
  const { user: userOf = defaultUser, throwOnFailure, requireFresh = true, timeoutMs } = checked(options)

  return async function googleAuth(req, res, next) {
    let user
    let client
    let failure
    try {
      user = await userOf(req)
      client = await refresh(user, {
        throwOnFailure: true,
        requireFresh,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      })
    } catch (error) {
      failure = error
    }
    if (failure === undefined && client) {
      req.googleOAuth2Client = client
      req.googleTokenValid = true
      return next()
    }
    log('warn', 'requireGoogleAuth: no fresh Google token', { code: failure?.code ?? null })
    if (throwOnFailure ?? throwsOnFailure()) return refuse(req, res, user, failure)
    req.googleTokenValid = false
    req.googleTokenError = {
      code: 'TOKEN_REFRESH_FAILED',
      message: 'Failed to refresh Google authentication',
      details: 'User may need to re-authenticate with Google',
    }
    return next()
  }
}

function checked(options) {
  if (options === undefined || options === null) return {}
  if (typeof options !== 'object') throw configuration('The options of requireGoogleAuth must be an object.')
  if ('httpVersion' in options) {
    throw configuration('requireGoogleAuth makes a middleware and is none: app.use(requireGoogleAuth()).')
  }
  for (const [name, value] of Object.entries(options)) {
    const type = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined
    if (!type) throw configuration(`requireGoogleAuth: the option ${plain(name)} is not known.`)
    if (value !== undefined && typeof value !== type) {
      throw configuration(`requireGoogleAuth: the option ${name} must be a ${type}.`)
    }
  }
  return options
}

const plain = (name) => (/^\w{1,64}$/.test(name) ? name : '(a name with unusual characters)')

/** The 401 of old front ends, word for word. */
function refuse(req, res, user, failure) {
  // Somebody else answered meanwhile: a timeout, say.
  if (res.headersSent) return
  const known = { userEmail: emailOf(req, user), timestamp: new Date().toISOString() }
  res.status(401).json(neverConnected(failure) ? reconnect(known) : failed(failure, known))
}

/** There is no grant; one that is dead has `reason: 'invalid_grant'`. No failure and no client: a stand-in said null. */
const neverConnected = (failure) =>
  failure === undefined ||
  (CalendarError.is(failure) && failure.code === 'GOOGLE_AUTH_REQUIRED' && failure.reason !== 'invalid_grant')

const reconnect = (details) => ({
  status: 'error',
  message: 'Your Google Calendar connection has expired',
  code: 'GOOGLE_AUTH_REQUIRED',
  action: 'Please reconnect your Google account in Settings',
  details,
})

function failed(failure, known) {
  const ours = CalendarError.is(failure)
  const needsReauth = ours && failure.requiresReauth
  return {
    status: 'error',
    message: needsReauth
      ? 'Your Google Calendar connection has expired. Please reconnect.'
      : 'Failed to refresh your Google Calendar connection.',
    code: 'GOOGLE_AUTH_FAILED',
    requiresReauth: needsReauth,
    action: needsReauth
      ? 'Go to Settings → Connected Accounts → Reconnect Google Calendar'
      : 'Please try again. If the problem persists, reconnect your Google account.',
    details: { error: ours ? failure.message : UNKNOWN_FAILURE, ...known },
  }
}

function emailOf(req, user) {
  const email = req.user?.email ?? req.userEmail ?? user
  return ['string', 'number'].includes(typeof email) ? String(email) : (email?.toString?.() ?? null)
}

module.exports = { requireGoogleAuth }
