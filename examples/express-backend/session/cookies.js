'use strict'

const { createHmac, randomBytes, timingSafeEqual } = require('node:crypto')

/**
 * Small signed values in cookies that no script of the page can read. In your backend this is what you have already; here it
 * stands for it.
 *
 * @param {{secret?: string, secure?: boolean}} [options] without a secret, cookies are good until the process ends
 */
function signedCookies({ secret = randomBytes(32).toString('hex'), secure = false } = {}) {
  const signatureOf = (name, value) => createHmac('sha256', secret).update(`${name}=${value}`).digest('base64url')

  return {
    set(res, name, value, { maxAgeMs = 86_400_000 } = {}) {
      const text = `${value}.${signatureOf(name, value)}`
      // Lax: Google's redirect back to us must carry it; a form of another site must not.
      res.cookie(name, text, { httpOnly: true, sameSite: 'lax', secure, maxAge: maxAgeMs, path: '/' })
    },
    clear(res, name) {
      res.clearCookie(name, { path: '/' })
    },
    get(req, name) {
      const found = (req.headers.cookie ?? '').split('; ').find((one) => one.startsWith(`${name}=`))
      const text = decoded(found?.slice(name.length + 1) ?? '')
      const dot = text.lastIndexOf('.')
      const value = text.slice(0, Math.max(dot, 0))
      const [given, right] = [Buffer.from(text.slice(dot + 1)), Buffer.from(signatureOf(name, value))]
      return given.length === right.length && timingSafeEqual(given, right) ? value : null
    },
  }
}

function decoded(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

module.exports = { signedCookies }
