'use strict'

const { createRequire } = require('node:module')
const path = require('node:path')
const { inspect } = require('node:util')

const LIBRARY = 'google-auth-library'

let found

/**
 * google-auth-library as the app sees it, for its own `instanceof` to hold: beside the app's main file, in its working
 * directory, beside this package, or where `googleapis` keeps its copy. Undefined: not installed.
 */
function library() {
  if (found) return found
  const places = [process.argv[1] && path.dirname(process.argv[1]), process.cwd(), __dirname].filter(Boolean)
  for (const place of places) {
    const from = createRequire(path.join(place, 'noop.js'))
    found = attempt(() => from(LIBRARY)) ?? attempt(() => createRequire(from.resolve('googleapis'))(LIBRARY))
    if (found) return found
  }
  return undefined
}

function attempt(load) {
  try {
    const loaded = load()
    return typeof loaded?.OAuth2Client === 'function' ? loaded : undefined
  } catch {
    return undefined // Not there; a plain credentials object does as well.
  }
}

/**
 * An auth object with these tokens: a real OAuth2Client when google-auth-library is installed, else plain credentials.
 *
 * @param {object} tokens by Google's names
 * @param {object} settings `clientId`, `clientSecret`, `redirectUri`, `tokenUrl` of the configuration
 */
function oauthClientOf(tokens, { clientId, clientSecret, redirectUri, tokenUrl }) {
  const OAuth2Client = library()?.OAuth2Client
  if (!OAuth2Client) return shy({ ...tokens }, 'GoogleCredentials')
  const endpoints = tokenUrl ? { endpoints: { oauth2TokenUrl: tokenUrl } } : {}
  const client = new OAuth2Client({ clientId, clientSecret, redirectUri, ...endpoints })
  client.setCredentials({ ...tokens })
  // For loggers that write JSON. Tokens are kept by storing `client.credentials`; a client's own JSON has no other use.
  Object.defineProperty(client, 'toJSON', { value: () => ({}), enumerable: false })
  return shy(client, 'OAuth2Client')
}

/** Printed by `console.log(req)` and by loggers that use util.inspect, it would show every token it holds. */
function shy(object, name) {
  Object.defineProperty(object, inspect.custom, { value: () => `${name} { … }`, enumerable: false })
  return object
}

module.exports = { oauthClientOf }
