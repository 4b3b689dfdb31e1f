'use strict'

// Makes the packages as they are published: `surecal`, which is the same for everybody and names the others as optional
// dependencies, and `surecal-PLATFORM`, which has a platform's addon and emulator. They are tarballs, so that what was tried is
// what is published. package.json itself does not name the platform packages: a clone must install without them.
//
//   node scripts/pack.js [--only main|platform] [--out FOLDER]
//
// Builds what is missing for the machine it runs on: nothing is cross-compiled, so that each package can be tried where it was
// made. The folder is `npm` in cargo's target directory, if no other is named.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { EMULATOR, platformName } = require('../lib/platform')
const { ROOT, emulatorPath, targetDir } = require('./paths')
const { ready } = require('./ready')
const { StepFailed, say, script } = require('./run')

const ABSENT = ['private', 'scripts', 'devDependencies', 'overrides', 'napi']
const LICENCES = ['LICENSE-APACHE', 'LICENSE-MIT']

const readJson = (file) => JSON.parse(fs.readFileSync(file, 'utf8'))
const writeJson = (file, value) => fs.writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`)

/** npm's own answer, without the scripts of package.json: what they make is there. */
function npm(args, cwd) {
  const [command, first] = process.env.npm_execpath ? [process.execPath, [process.env.npm_execpath]] : ['npm', []]
  const options = { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }
  return execFileSync(command, [...first, ...args, '--ignore-scripts', '--loglevel=error'], options)
}

/** Provenance is given only to a package that says where its sources are. */
function source() {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name } = process.env
  return server && name ? { repository: { type: 'git', url: `git+${server}/${name}.git` } } : {}
}

/** The folders of all platform packages, made by napi-rs from `napi.targets`: name, os, cpu, libc. */
async function platformFolders(staging) {
  const { NapiCli } = await import('@napi-rs/cli')
  fs.copyFileSync(path.join(ROOT, 'package.json'), path.join(staging, 'package.json'))
  await new NapiCli().createNpmDirs({ cwd: staging, npmDir: 'platforms' })
  const folder = path.join(staging, 'platforms')
  return fs.readdirSync(folder).map((name) => path.join(folder, name))
}

function stageMain(staging, platforms) {
  const folder = path.join(staging, 'main')
  const [{ files }] = JSON.parse(npm(['pack', '--dry-run', '--json'], ROOT))
  const isBinary = (file) => file.endsWith('.node') || file.startsWith('native/surecal-emulator')
  for (const { path: file } of files.filter((each) => !isBinary(each.path))) {
    fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
    fs.copyFileSync(path.join(ROOT, file), path.join(folder, file))
  }
  const described = readJson(path.join(ROOT, 'package.json'))
  for (const name of ABSENT) delete described[name]
  described.files = described.files.filter((pattern) => !isBinary(pattern))
  const versions = platforms.map((each) => readJson(path.join(each, 'package.json')))
  described.optionalDependencies = Object.fromEntries(versions.map(({ name, version }) => [name, version]))
  writeJson(path.join(folder, 'package.json'), { ...described, ...source() })
  return folder
}

function stagePlatform(platforms) {
  const name = platformName()
  const folder = platforms.find((each) => path.basename(each) === name)
  if (!folder) throw new StepFailed(`${name} is not among napi.targets in package.json.`)
  const described = readJson(path.join(folder, 'package.json'))
  fs.copyFileSync(emulatorPath('release'), path.join(folder, EMULATOR))
  fs.copyFileSync(path.join(ROOT, 'native', described.main), path.join(folder, described.main))
  for (const licence of LICENCES) fs.copyFileSync(path.join(ROOT, licence), path.join(folder, licence))
  described.files.push(EMULATOR)
  writeJson(path.join(folder, 'package.json'), { ...described, ...source() })
  return folder
}

/**
 * @param {{only?: 'main'|'platform', out?: string}} [options]
 * @returns {Promise<{file: string, name: string, size: number, files: {path: string, size: number}[]}[]>} the tarballs
 */
async function pack({ only, out = path.join(targetDir(), 'npm') } = {}) {
  fs.mkdirSync(out, { recursive: true })
  const staging = fs.mkdtempSync(path.join(out, 'staging-'))
  try {
    const platforms = await platformFolders(staging)
    const folders = []
    if (only !== 'platform') folders.push(stageMain(staging, platforms))
    if (only !== 'main') folders.push(stagePlatform(platforms))
    return folders.map((folder) => {
      const [made] = JSON.parse(npm(['pack', '--json', '--pack-destination', path.resolve(out)], folder))
      return { ...made, file: path.resolve(out, made.filename) }
    })
  } finally {
    fs.rmSync(staging, { recursive: true })
  }
}

module.exports = { npm, pack }

if (require.main === module)
  script(async () => {
    const text = { type: 'string' }
    const { values } = parseArgs({ options: { only: text, out: text } })
    await ready('package')
    for (const { file, size } of await pack(values)) say(`packed ${file} (${(size / 1e6).toFixed(1)} MB)`)
  })
