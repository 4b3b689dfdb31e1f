'use strict'

// Makes what is missing or stale: npm packages, the native addon, the emulator. Only Node's own modules may be used
// here, for nothing is installed yet in a fresh clone.
//
//   node scripts/ready.js --for test      addon (any profile that is fresh, else debug), emulator (debug)
//   node scripts/ready.js --for demo      addon and emulator, both release
//   node scripts/ready.js --for package   the same, both in native/, where `npm pack` takes them from
//   node scripts/ready.js --for bench     addon, emulator, the benchmarks' server and bare client, all release

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { ROOT, emulatorPath } = require('./paths')
const { StepFailed, must, say, script } = require('./run')
const { isFresh, noteBuilt, packagesAreFresh } = require('./freshness')

const PURPOSES = {
  test: { release: false, emulator: true },
  demo: { release: true, emulator: true },
  package: { release: true, emulator: true, packed: true },
  bench: { release: true, emulator: true, bench: true },
}

const NATIVE = path.join(ROOT, 'native')
const NAPI = path.join(ROOT, 'node_modules', '@napi-rs', 'cli')

/** The addon's file for this platform, if there is one. */
function addonFile() {
  const found = fs.existsSync(NATIVE) ? fs.readdirSync(NATIVE).filter((name) => name.endsWith('.node')) : []
  return path.join(NATIVE, found[0] ?? 'none.node')
}

async function packages() {
  if (packagesAreFresh()) return
  // The npm that started us, if one did: on Windows `npm` alone cannot be spawned.
  const npm = process.env.npm_execpath
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund']
  const title = 'Installing npm packages'
  if (npm) await must(title, process.execPath, [npm, ...args])
  else await must(title, 'npm', args)
}

function checkCargo() {
  const { error, status, stdout } = spawnSync('cargo', ['--version'], { cwd: ROOT, encoding: 'utf8' })
  if (!error && status === 0) return say(`building with ${stdout.trim()}`)
  throw new StepFailed(
    'cargo does not work here. The native part of surecal is written in Rust: install Rust with rustup (https://rustup.rs; ' +
      'the version is `rust-version` in Cargo.toml), open a new shell, and start again.',
  )
}

async function addon(release) {
  const fresh =
    isFresh('addon', 'addon release', addonFile()) || (!release && isFresh('addon', 'addon debug', addonFile()))
  if (fresh) return
  checkCargo()
  const profile = release ? 'release' : 'debug'
  const { bin } = JSON.parse(fs.readFileSync(path.join(NAPI, 'package.json'), 'utf8'))
  const cli = path.join(NAPI, typeof bin === 'string' ? bin : bin.napi)
  const args = ['build', '--platform', '--output-dir', 'native', '--js', 'index.js', '--dts', 'index.d.ts']
  await must(`Building the native addon (${profile})`, process.execPath, [
    cli,
    ...args,
    ...(release ? ['--release'] : []),
  ])
  noteBuilt('addon', `addon ${profile}`, addonFile())
}

async function emulator(release) {
  const profile = release ? 'release' : 'debug'
  const file = emulatorPath(profile)
  if (isFresh('emulator', `emulator ${profile}`, file)) return
  checkCargo()
  const args = ['build', '--package', 'surecal-emulator', ...(release ? ['--release'] : [])]
  await must(`Building the emulator (${profile})`, 'cargo', args)
  noteBuilt('emulator', `emulator ${profile}`, file)
}

/** @param {'test'|'demo'|'package'} purpose */
async function ready(purpose) {
  const needs = PURPOSES[purpose]
  if (!needs) throw new StepFailed(`usage: node scripts/ready.js --for ${Object.keys(PURPOSES).join('|')}`)
  await packages()
  await addon(needs.release)
  if (needs.emulator) await emulator(needs.release)
  if (needs.packed) fs.copyFileSync(emulatorPath('release'), path.join(NATIVE, path.basename(emulatorPath('release'))))
  // Cargo itself knows whether they are fresh.
  if (needs.bench)
    await must('Building the benchmarks (release)', 'cargo', ['build', '--quiet', '--release', '-p', 'surecal-bench'])
}

module.exports = { ready }

if (require.main === module) {
  const at = process.argv.indexOf('--for')
  script(() => ready(at < 0 ? undefined : process.argv[at + 1]))
}
