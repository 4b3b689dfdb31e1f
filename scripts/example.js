'use strict'

// `npm run example`: makes ready, then starts the whole backend of examples/express-backend.

const path = require('node:path')
const { ROOT, emulatorPath } = require('./paths')
const { ready } = require('./ready')
const { run, script } = require('./run')

script(async () => {
  await ready('test')
  const env = { SURECAL_EMULATOR: emulatorPath('debug'), ...process.env }
  return run('Example', process.execPath, [path.join(ROOT, 'examples', 'express-backend', 'start.js')], {
    env,
    quietly: true,
  })
})
