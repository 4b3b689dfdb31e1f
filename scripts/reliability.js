'use strict'

// `npm run reliability`: makes ready with release builds, then runs the contest, whose exit code is ours.

const path = require('node:path')
const { parseArguments } = require('../reliability/arguments')
const { ROOT, emulatorPath } = require('./paths')
const { ready } = require('./ready')
const { run, script } = require('./run')

/** Its program answers --help and wrong arguments by itself, and nobody waits minutes of building for that. */
function needsBuilds(words) {
  try {
    return !parseArguments(words).help
  } catch {
    return false
  }
}

script(async () => {
  const words = process.argv.slice(2)
  if (needsBuilds(words)) await ready('demo')
  const env = { SURECAL_EMULATOR: emulatorPath('release'), ...process.env }
  return run('Reliability', process.execPath, [path.join(ROOT, 'reliability', 'run.js'), ...words], {
    env,
    quietly: true,
  })
})
