'use strict'

// `npm run bench [-- --quick]`: makes ready with release builds, then measures. Benchmarks are no tests: CI does not run
// them.

const path = require('node:path')
const { ROOT } = require('./paths')
const { ready } = require('./ready')
const { run, script } = require('./run')

const FILES = ['create.js', 'middleware.js']

script(async () => {
  await ready('bench')
  const args = process.argv.slice(2)
  let code = 0
  for (const file of FILES) {
    code ||= await run('Bench', process.execPath, [path.join(ROOT, 'benches', file), ...args], { quietly: true })
  }
  return code
})
