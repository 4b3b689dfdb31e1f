'use strict'

// `npm run demo`: makes ready with release builds, then runs the demo, whose exit code is ours.

const path = require('node:path')
const { ROOT, emulatorPath } = require('./paths')
const { ready } = require('./ready')
const { run, script } = require('./run')

script(async () => {
  await ready('demo')
  const env = { SURECAL_EMULATOR: emulatorPath('release'), ...process.env }
  return run('Demo', process.execPath, [path.join(ROOT, 'demo', 'run.js'), ...process.argv.slice(2)], {
    env,
    quietly: true,
  })
})
