'use strict'

// `npm test`: makes ready, then the Rust tests, then the Jest tests. Both run; either's failure is the exit code.
// The Rust tests run without the `node` feature: that is the proof that the core needs no Node.

const fs = require('node:fs')
const path = require('node:path')
const { ROOT, emulatorPath } = require('./paths')
const { ready } = require('./ready')
const { run, say, script } = require('./run')

/** The version that CI installs. */
const [, SECANTUSDB] = /^SECANTUSDB_VERSION=(\S+)$/m.exec(fs.readFileSync(path.join(ROOT, '.ci', 'run'), 'utf8'))

/** Programs of the system that some tests drive for real, how to get them, and how to go without. */
const DRIVEN = [
  {
    program: 'redis-server',
    get: 'apt-get install -y redis-server',
    skip: 'SURECAL_SKIP_REDIS',
    what: 'the tests with a real Redis',
  },
  {
    program: 'secantusd-py',
    get: `python3 -m pip install secantusdb==${SECANTUSDB}`,
    skip: 'SURECAL_SKIP_MONGODB',
    instead: 'MONGODB_URL',
    what: 'the tests with Mongoose',
  },
  {
    program: 'chromium',
    get: 'apt-get install -y chromium',
    skip: 'SURECAL_SKIP_BROWSER',
    instead: 'SURECAL_CHROMIUM',
    what: 'the tests in a real browser',
  },
]

function missingPrograms() {
  const folders = (process.env.PATH ?? '').split(path.delimiter)
  const isThere = ({ program, skip, instead }) =>
    process.env[skip] === '1' ||
    Boolean(process.env[instead]) ||
    folders.some((folder) => fs.existsSync(path.join(folder, program)))
  return DRIVEN.filter((driven) => !isThere(driven))
}

script(async () => {
  const missing = missingPrograms()
  // Nobody must install anything by hand to run the tests; but where CI runs, nothing may be left out.
  if (process.env.CI && missing.length > 0) {
    for (const { program, what, get, skip } of missing) {
      say(`missing: ${program}, for ${what}: ${get} (or ${skip}=1)`)
    }
    return 1
  }
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
  for (const { program, what, get } of missing) say(`left out: ${what}, for there is no ${program} here; ${get}`)
  say(`Rust tests ${rust === 0 ? 'passed' : 'FAILED'}, Jest tests ${js === 0 ? 'passed' : 'FAILED'}`)
  return rust || js
})
