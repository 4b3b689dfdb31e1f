'use strict'

const { configuration } = require('./errors')
const { platformName, whyMissing } = require('./platform')

let binding

/**
 * The system's own words about a file that is there and does not load: of the chain that the generated loader makes of all its
 * tries, keeping their messages alone, what is neither a file that was not found nor a platform it does not know.
 */
function refusal(error) {
  for (let at = error; at; at = at.cause) if (!/^(Cannot find|Unsupported)/.test(at.message)) return at.message
  return undefined
}

/** What is wrong with the native part, for who installed it. */
function explained(error) {
  const refused = refusal(error)
  if (!refused) return `${whyMissing()} In a checkout, \`npm run build\` makes it.`
  return (
    `It is there, but this system does not load it (${refused.split('\n')[0]}). If that names GLIBC, the system is older than ` +
    'the package supports (docs/install.md): use a newer base image, or build surecal from its sources on this one.'
  )
}

/**
 * The generated binding, loaded at first use, so that `require('surecal')` and the constants work without it.
 *
 * @throws {CalendarError} CONFIGURATION when there is no addon for this platform; `cause` is the loader's own error
 */
function load() {
  if (binding) return binding
  try {
    binding = require('../native/index.js')
  } catch (cause) {
    throw configuration(`The native part of surecal could not be loaded on ${platformName()}. ${explained(cause)}`, {
      cause,
    })
  }
  return binding
}

module.exports = { load }
