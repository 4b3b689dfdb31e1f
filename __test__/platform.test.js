'use strict'

// What an installation without binaries is told, and where installed ones are looked for.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { EMULATOR, PUBLISHED, platformName } = require('../lib/platform')
const { napi } = require('../package.json')

const root = path.join(__dirname, '..')
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'surecal-platform-'))
const modules = path.join(directory, 'node_modules')
const emulatorPackage = path.join(modules, `surecal-${platformName()}`)

// As npm lays it out, without a binary.
beforeAll(() => {
  for (const part of ['index.js', 'lib', 'package.json', 'native/index.js'])
    fs.cpSync(path.join(root, part), path.join(modules, 'surecal', part), { recursive: true })
})
afterAll(() => fs.rmSync(directory, { recursive: true }))

/** What a program in that directory prints. */
function printed(program, more = {}) {
  const { SURECAL_EMULATOR: _named, CARGO_TARGET_DIR: _built, ...env } = { ...process.env, ...more }
  return execFileSync(process.execPath, ['--eval', program], { cwd: directory, env, encoding: 'utf8' })
}

const SERVE = `
  try { new (require('surecal').CalendarService)() }
  catch (error) { console.log(JSON.stringify({ code: error.code, message: error.message, cause: error.cause.message })) }`
const FIND = `
  try { console.log(require('surecal/testing').findEmulator()) } catch (error) { console.log(error.message) }`

test('the platforms that are told as published are those that napi-rs makes packages for', async () => {
  // Jest cannot load this ES module itself.
  const ask = `import('@napi-rs/cli').then(({ parseTriple }) =>
    console.log(JSON.stringify(${JSON.stringify(napi.targets)}.map((each) => parseTriple(each).platformArchABI).sort())))`
  expect(JSON.parse(execFileSync(process.execPath, ['--eval', ask], { cwd: root, encoding: 'utf8' }))).toEqual(
    PUBLISHED,
  )
})

test('the licences of crates are checked for all of them', () => {
  const [, targets] = /^targets = \[([\s\S]*?)^\]/m.exec(fs.readFileSync(path.join(root, 'deny.toml'), 'utf8'))
  expect([...targets.matchAll(/"(.+)"/g)].map(([, target]) => target).sort()).toEqual([...napi.targets].sort())
})

test('a package that was not installed for this platform is named', () => {
  const { code, message } = JSON.parse(printed(SERVE))
  expect(code).toBe('CONFIGURATION')
  expect(message).toContain(`surecal-${platformName()}`)
  expect(message).toContain('install again')
})

test('a platform that nothing is published for is told so, with those there are', () => {
  const { code, message } = JSON.parse(
    printed(`Object.defineProperty(process, 'platform', { value: 'freebsd' }); ${SERVE}`),
  )
  expect(code).toBe('CONFIGURATION')
  expect(message).toContain(`freebsd-${process.arch}`)
  for (const name of PUBLISHED) expect(message).toContain(name)
})

test('a binary that the system does not load is told with the system’s reason', () => {
  const file = path.join(directory, 'broken.node')
  fs.writeFileSync(file, 'no binary')
  const { code, message } = JSON.parse(printed(SERVE, { NAPI_RS_NATIVE_LIBRARY_PATH: file }))
  expect(code).toBe('CONFIGURATION')
  expect(message).toContain('does not load')
  expect(message).toContain('broken.node')
})

test('an emulator that was not installed is missed by name, and one that was is found', () => {
  expect(printed(FIND)).toContain(`surecal-${platformName()}`)
  fs.mkdirSync(emulatorPackage)
  fs.writeFileSync(path.join(emulatorPackage, 'package.json'), '{}')
  fs.writeFileSync(path.join(emulatorPackage, EMULATOR), '')
  expect(fs.realpathSync(printed(FIND).trim())).toBe(fs.realpathSync(path.join(emulatorPackage, EMULATOR)))
})
