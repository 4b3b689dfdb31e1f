'use strict'

// `npm run mutate-redactions`: takes each redaction (redactions.js) out of a copy of the tree and runs the test that must
// notice. It ends with 1 if one of them does not. Some minutes; no part of `npm test`.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { ROOT, emulatorPath, targetDir } = require('./paths')
const { ready } = require('./ready')
const { RUST, JS } = require('./redactions')
const { StepFailed, say, script } = require('./run')

const COPY = path.join(targetDir(), 'mutant')
const JEST = path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js')

/** What is committed or would be, and what is built, as it is now. */
function copyTree() {
  fs.rmSync(COPY, { recursive: true, force: true })
  const listed = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  if (listed.status !== 0) throw new StepFailed('git ls-files failed: this needs a checkout')
  const built = fs.readdirSync(path.join(ROOT, 'native')).map((name) => path.join('native', name))
  for (const file of [...listed.stdout.split('\0').filter(Boolean), ...built]) {
    const from = path.join(ROOT, file)
    if (!fs.existsSync(from)) continue
    fs.mkdirSync(path.dirname(path.join(COPY, file)), { recursive: true })
    fs.copyFileSync(from, path.join(COPY, file))
  }
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(COPY, 'node_modules'))
}

/** Files as they were copied: the tree may be worked on meanwhile. */
const whole = new Map()

/** Puts `to` in the place of `from`, which must stand there once. */
function takeOut({ file, from, to }) {
  const text = fs.readFileSync(path.join(COPY, file), 'utf8')
  if (!whole.has(file)) whole.set(file, text)
  const parts = text.split(from)
  if (parts.length !== 2) throw new StepFailed(`${file} has ${parts.length - 1} times: ${from}`)
  fs.writeFileSync(path.join(COPY, file), parts.join(to))
}

const putBack = ({ file }) => fs.writeFileSync(path.join(COPY, file), whole.get(file))

const run = (command, args) => {
  const env = { ...process.env, CARGO_TARGET_DIR: targetDir(), SURECAL_EMULATOR: emulatorPath('debug') }
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: COPY, env, encoding: 'utf8', maxBuffer: 2 ** 28 })
  return { status, words: `${stdout}${stderr}` }
}

/** The redactions of one build that no test noticed. */
function missedOfRust(mutants) {
  mutants.forEach(takeOut)
  const tests = ['--lib', '--test', 'printed', '--test', 'store_contract']
  const names = mutants.map(({ test }) => test)
  const { words } = run('cargo', ['test', '--no-default-features', '--no-fail-fast', ...tests, '--', ...names])
  mutants.forEach(putBack)
  if (!words.includes('test result')) throw new StepFailed(`it does not build:\n${words.slice(-4000)}`)
  return mutants.filter(({ test }) => {
    const isNoticed = new RegExp(`^test (\\S*::)?${test} \\.\\.\\. FAILED$`, 'm').test(words)
    say(`${isNoticed ? 'noticed' : 'MISSED '}  ${test}`)
    return !isNoticed
  })
}

function isMissedInJs(mutant) {
  takeOut(mutant)
  const { status, words } = run(process.execPath, [JEST, '--rootDir', COPY, `__test__/${mutant.test}.test.js`])
  putBack(mutant)
  // A test that could not run has noticed nothing.
  const isNoticed = status !== 0 && /^Tests: .*\d+ failed/m.test(words)
  say(`${isNoticed ? 'noticed' : 'MISSED '}  ${mutant.file}: ${mutant.from.slice(0, 60)}`)
  return !isNoticed
}

script(async () => {
  await ready('test')
  copyTree()
  for (const test of new Set(JS.map(({ test: name }) => name))) {
    const { status, words } = run(process.execPath, [JEST, '--rootDir', COPY, `__test__/${test}.test.js`])
    if (status !== 0) throw new StepFailed(`${test} fails with every redaction in its place:\n${words.slice(-4000)}`)
  }
  say(`${RUST.length + JS.length} redactions, taken out of a copy in ${path.relative(ROOT, COPY)}`)
  const missed = JS.filter(isMissedInJs)
  for (const batch of new Set(RUST.map((mutant) => mutant.batch))) {
    missed.push(...missedOfRust(RUST.filter((mutant) => mutant.batch === batch)))
  }
  fs.rmSync(COPY, { recursive: true, force: true })
  say(missed.length === 0 ? 'each was noticed' : `${missed.length} were not noticed`)
  return missed.length === 0 ? 0 : 1
})
