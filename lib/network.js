'use strict'

const { configuration } = require('./errors')

/**
 * What of the environment counts, under the names the native part knows. As Node's own `NODE_USE_ENV_PROXY` reads it:
 * the lower-case name wins, and an empty value is none. HTTP_PROXY is for `http:` targets, of which there are none but on
 * this machine.
 *
 * @param {Record<string, string | undefined>} env
 */
function environmentOf(env) {
  const named = (...names) => names.map((name) => env[name]).find(Boolean)
  const found = {
    httpsProxy: named('https_proxy', 'HTTPS_PROXY'),
    noProxy: named('no_proxy', 'NO_PROXY'),
    extraCaCerts: named('NODE_EXTRA_CA_CERTS'),
  }
  return Object.values(found).some(Boolean) ? found : undefined
}

/**
 * The option `ca` as a list of texts.
 *
 * @throws {CalendarError} CONFIGURATION
 */
function authoritiesOf(ca) {
  if (ca === undefined || ca === null) return undefined
  return (Array.isArray(ca) ? ca : [ca]).map((one) => {
    if (typeof one === 'string') return one
    if (one instanceof Uint8Array) return Buffer.from(one).toString('latin1')
    throw configuration('ca must be PEM text, a Buffer of it, or an array of them.')
  })
}

module.exports = { authoritiesOf, environmentOf }
