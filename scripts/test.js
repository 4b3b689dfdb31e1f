'use strict'

// `npm test`: makes ready, then the Rust tests, then the Jest tests. Both run; either's failure is the exit code.
// The Rust tests run without the `node` feature: that is the proof that the core needs no Node.

const fs = require('node:fs')
const path = require('node:path')
const { ROOT, emulatorPath } = require('./paths')
const { ready } = require('./ready')
const { StepFailed, run, say, script } = require('./run')

/** Programs of the system that some tests drive for real, how to get them, and how to go without them. */
const DRIVEN = [
  {
    program: 'redis-server',
    skip: 'SURECAL_SKIP_REDIS',
    what: 'the tests with a real Redis',
    install: 'apt-get install -y redis-server (Debian)',
  },
  {
    program: 'secantusd-py',
    skip: 'SURECAL_SKIP_MONGODB',
    instead: 'MONGODB_URL',
    what: 'the tests with Mongoose',
    install: 'python3 -m pip install secantusdb==0.7.0b3',
  },
  {
    program: 'chromium',
    instead: 'SURECAL_CHROMIUM',
    skip: 'SURECAL_SKIP_BROWSER',
    what: 'the tests in a real browser',
    install: 'apt-get install -y chromium (Debian)',
  },
]

/** Nobody must install anything by hand to run the tests; but where CI runs, nothing may be left out. */
function leftOut() {
  const folders = (process.env.PATH ?? '').split(path.delimiter)
  const isThere = ({ program, instead }) =>
    Boolean(process.env[instead]) || folders.some((folder) => fs.existsSync(path.join(folder, program)))
  const missing = DRIVEN.filter((driven) => !isThere(driven) && process.env[driven.skip] !== '1')
  if (!process.env.CI || missing.length === 0) return missing
  const how = missing.map(({ program, skip, install }) => `\n  ${program}: ${install}, or set ${skip}=1`)
  throw new StepFailed(`In CI nothing is left out, and of what the tests drive there is missing:${how.join('')}`)
}

script(async () => {
  const missing = leftOut()
  await ready('test')
  const skips = Object.fromEntries(missing.map(({ skip }) => [skip, '1']))
  const env = { SURECAL_EMULATOR: emulatorPath('debug'), ...skips, ...process.env }
  const rust = await run(
    'Rust tests (workspace, without the node feature)',
    'cargo',
    ['test', '--workspace', '--no-default-features'],
    { env },
  )
  const jest = path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js')
  const js = await run('Jest tests', process.execPath, [jest, ...process.argv.slice(2)], { env })
  for (const { program, what, install } of missing) {
    say(`left out: ${what}, for there is no ${program} on this machine; it comes with: ${install}`)
  }
  say(`Rust tests ${rust === 0 ? 'passed' : 'FAILED'}, Jest tests ${js === 0 ? 'passed' : 'FAILED'}`)
  return rust || js
})
