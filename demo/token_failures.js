'use strict'

const TOKEN_PATH = /\/token$/

/** Whether a call failed for want of a token: Google refused the one it had, or there was none to be had. */
function isTokenFailure(error) {
  if (/^GOOGLE_AUTH_/.test(error.code)) return true
  if ((error.status ?? error.response?.status) === 401) return true
  return TOKEN_PATH.test(String(error.config?.url ?? ''))
}

module.exports = { isTokenFailure }
