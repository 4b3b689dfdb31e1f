'use strict'

const { emulatorPath } = require('./paths')

/** Jest alone (`npx jest`) finds the emulator that `npm test` built, also in a shared target directory. */
module.exports = async () => {
  process.env.SURECAL_EMULATOR ??= emulatorPath('debug')
}
