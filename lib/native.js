'use strict'

const { configuration } = require('./errors')

let binding

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
    throw configuration(
      `The native part of surecal could not be loaded for ${process.platform}-${process.arch}. ` +
        'In a checkout, run `npm run build` first; elsewhere, reinstall the package on this platform.',
      { cause },
    )
  }
  return binding
}

module.exports = { load }
