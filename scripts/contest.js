'use strict'

const path = require('node:path')
const { ROOT, emulatorPath } = require('./paths')
const { ready } = require('./ready')
const { run, script } = require('./run')

/** The program answers --help and wrong arguments by itself, and nobody waits minutes of building for that. */
function needsBuilds(parseArguments, words) {
  try {
    return !parseArguments(words).help
  } catch {
    return false
  }
}

/** Makes ready with release builds, then runs the program in `folder`, whose exit code is ours. */
function contest(title, folder) {
  script(async () => {
    const words = process.argv.slice(2)
    const { parseArguments } = require(path.join(ROOT, folder, 'arguments'))
    if (needsBuilds(parseArguments, words)) await ready('demo')
    const env = { SURECAL_EMULATOR: emulatorPath('release'), ...process.env }
    return run(title, process.execPath, [path.join(ROOT, folder, 'run.js'), ...words], { env, quietly: true })
  })
}

module.exports = { contest }
