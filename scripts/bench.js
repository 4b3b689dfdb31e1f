'use strict'

// `npm run bench`: makes ready with release builds, then measures. Benchmarks are no tests: CI does not run them.

const path = require('node:path')
const { ROOT } = require('./paths')
const { ready } = require('./ready')
const { run, script } = require('./run')

script(async () => {
  await ready('package')
  return run('Bench', process.execPath, [path.join(ROOT, 'benches', 'middleware.js')], { quietly: true })
})
