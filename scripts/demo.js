'use strict'

// `npm run demo`: makes ready with release builds, then runs the demo, whose exit code is ours.

const path = require('node:path')
const { parseArguments } = require('../demo/arguments')
const { ROOT, emulatorPath } = require('./paths')
const { ready } = require('./ready')
const { run, script } = require('./run')

/** The demo answers --help and wrong arguments by itself, and nobody waits minutes of building for that. */
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
  return run('Demo', process.execPath, [path.join(ROOT, 'demo', 'run.js'), ...words], { env, quietly: true })
})
