'use strict'

// `npm test`: makes ready, then the Rust tests, then the Jest tests. Both run; either's failure is the exit code.
// The Rust tests run without the `node` feature: that is the proof that the core needs no Node.

const path = require('node:path')
const { ROOT, emulatorPath } = require('./paths')
const { ready } = require('./ready')
const { run, say, script } = require('./run')

script(async () => {
  await ready('test')
  const env = { SURECAL_EMULATOR: emulatorPath('debug'), ...process.env }
  const rust = await run(
    'Rust tests (workspace, without the node feature)',
    'cargo',
    ['test', '--workspace', '--no-default-features'],
    { env },
  )
  const jest = path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js')
  const js = await run('Jest tests', process.execPath, [jest, ...process.argv.slice(2)], { env })
  say(`Rust tests ${rust === 0 ? 'passed' : 'FAILED'}, Jest tests ${js === 0 ? 'passed' : 'FAILED'}`)
  return rust || js
})
