'use strict'

// Which platform this is, in the words of the packages that hold its binaries, and where those packages are.

const fs = require('node:fs')
const path = require('node:path')

/** The platforms that a package is published for, `surecal-NAME`. The same as `napi.targets` in package.json. */
const PUBLISHED = Object.freeze([
  'darwin-arm64',
  'darwin-x64',
  'linux-arm64-gnu',
  'linux-arm64-musl',
  'linux-x64-gnu',
  'linux-x64-musl',
  'win32-x64-msvc',
])

const EMULATOR = process.platform === 'win32' ? 'surecal-emulator.exe' : 'surecal-emulator'

/** Node's report names the glibc it runs on; where it names none, Linux has musl (Alpine). */
function libc() {
  const { report } = process
  if (!report) return 'gnu' // Another runtime than Node.
  const had = report.excludeNetwork
  report.excludeNetwork = true // It would look up the names of all peers.
  const { glibcVersionRuntime } = report.getReport().header
  report.excludeNetwork = had
  return glibcVersionRuntime ? 'gnu' : 'musl'
}

/** `linux-x64-gnu` and the like, of the process that asks. */
function platformName() {
  const { platform, arch } = process
  if (platform === 'linux') return `${platform}-${arch}-${libc()}`
  return platform === 'win32' ? `${platform}-${arch}-msvc` : `${platform}-${arch}`
}

/** A file beside the binding, or in this platform's package; undefined if neither has it. */
function packagedFile(name) {
  const folders = [path.join(__dirname, '..', 'native')]
  try {
    folders.push(path.dirname(require.resolve(`surecal-${platformName()}/package.json`)))
  } catch {
    // Not installed.
  }
  return folders.map((folder) => path.join(folder, name)).find((file) => fs.existsSync(file))
}

/** Why there is no binary, and what to do; whole sentences. */
function whyMissing() {
  const name = platformName()
  if (!PUBLISHED.includes(name))
    return (
      `surecal is not published for ${name}, only for ${PUBLISHED.join(', ')}: ` +
      'build it from its sources on this platform (docs/install.md).'
    )
  return (
    `The package surecal-${name}, which holds the binaries for this platform, is not installed: node_modules was copied from ` +
    'another platform, or optional dependencies were left out. Remove node_modules and install again here; if the lock file was ' +
    'made elsewhere and does not name the package, make it anew as well.'
  )
}

module.exports = { EMULATOR, PUBLISHED, packagedFile, platformName, whyMissing }
