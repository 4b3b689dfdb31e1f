'use strict'

// Tries the packages as a user gets them: packed in release, installed by npm into empty folders, offline, with neither Rust
// nor this checkout's node_modules in reach; then used from CommonJS, ES modules, TypeScript and Jest. Both forms are tried: what
// is published (one package for everybody and one for the platform), and what `npm pack` makes here (one, for this platform).
// It ends with what an installation weighs, beside Google's own client.
//
//   node scripts/try_package.js                     all of it
//   node scripts/try_package.js --packed FOLDER     the published form alone, from tarballs that are there; builds nothing

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { blocksOf } = require('../__test__/support/snippets')
const { platformName } = require('../lib/platform')
const { largeIn, strayIn } = require('./package_contents')
const { compare } = require('./package_weight')
const { npm, pack } = require('./pack')
const { ROOT } = require('./paths')
const { ready } = require('./ready')
const { StepFailed, say, script } = require('./run')

const CONSUMERS = path.join(ROOT, '__test__', 'packed')
const tool = (name, file) => path.join(ROOT, 'node_modules', name, file)

/** The environment of somebody without Rust: only Node on the path, and a home of its own. */
function poorEnvironment(folder) {
  const bin = path.join(folder, 'bin')
  fs.mkdirSync(bin)
  const windows = process.platform === 'win32'
  if (!windows) fs.symlinkSync(process.execPath, path.join(bin, 'node'))
  const { SystemRoot, TEMP } = process.env
  return {
    ...(windows ? { SystemRoot, TEMP } : {}),
    PATH: windows ? path.dirname(process.execPath) : bin,
    HOME: folder,
    USERPROFILE: folder,
  }
}

/** Runs a program to its end; it must succeed, and print `well` if it prints what it found. */
function must(title, [file, ...args], { cwd, env, says }) {
  const { status, stdout, stderr } = spawnSync(file, args, { cwd, env, encoding: 'utf8', timeout: 120_000 })
  if (status !== 0 || (says !== undefined && stdout.trim() !== says))
    throw new StepFailed(`${title} failed (exit code ${status}):\n${stdout}${stderr}`)
  say(`${title}: well`)
}

/** Holds what npm says is in a package against what may be. */
function checkContents(packages) {
  for (const { name, files } of packages) {
    const found = [...strayIn(files), ...largeIn(files)]
    if (found.length > 0) throw new StepFailed(`${name} holds what it must not: ${found.join(', ')}`)
    say(`${name}: ${files.length} files, the largest ${Math.max(...files.map(({ size }) => size))} bytes`)
  }
}

/** An empty project with these tarballs in it. */
function install(title, parent, tarballs) {
  const cwd = path.join(parent, 'project')
  fs.mkdirSync(cwd, { recursive: true })
  fs.writeFileSync(path.join(cwd, 'package.json'), '{ "name": "school", "private": true }\n')
  const env = poorEnvironment(parent)
  if (spawnSync('cargo', ['--version'], { env }).error?.code !== 'ENOENT')
    throw new StepFailed('Rust is still on the path: this would prove nothing.')
  const files = tarballs.map(({ file }) => file)
  const npmCli = process.env.npm_execpath ?? fs.realpathSync(path.join(path.dirname(process.execPath), 'npm'))
  must(`${title}: npm install, offline`, [process.execPath, npmCli, 'install', '--offline', ...files], { cwd, env })
  return { cwd, env }
}

function typescript(title, { cwd, env }) {
  const options = { module: 'nodenext', target: 'es2023', strict: true, skipLibCheck: false, types: ['node'] }
  const typeRoots = [path.join(ROOT, 'node_modules', '@types')]
  const config = { compilerOptions: { ...options, typeRoots }, files: ['consumer.ts', 'consumer_module.mts'] }
  fs.writeFileSync(path.join(cwd, 'tsconfig.json'), JSON.stringify(config))
  must(`${title}: types`, [process.execPath, tool('typescript', 'bin/tsc'), '-p', '.'], { cwd, env })
  for (const compiled of ['consumer.js', 'consumer_module.mjs'])
    must(`${title}: TypeScript, ${compiled}`, [process.execPath, compiled], { cwd, env, says: 'well' })
}

function jest(title, { cwd, env }) {
  const [example] = blocksOf('README.md').filter(({ marks }) => marks.includes('jest'))
  // Two files, so that Jest uses its workers.
  for (const name of ['one.test.js', 'two.test.js']) fs.writeFileSync(path.join(cwd, name), example.text)
  const run = [process.execPath, tool('jest', 'bin/jest.js'), '--rootDir', cwd, '--maxWorkers', '2']
  must(`${title}: the README's Jest test`, run, { cwd, env })
  must(`${title}: the same in worker threads`, [...run, '--workerThreads'], { cwd, env })
}

function use(title, place) {
  for (const name of fs.readdirSync(CONSUMERS)) fs.copyFileSync(path.join(CONSUMERS, name), path.join(place.cwd, name))
  must(`${title}: CommonJS`, [process.execPath, 'consumer.cjs'], { ...place, says: 'well' })
  must(`${title}: ES modules`, [process.execPath, 'consumer.mjs'], { ...place, says: 'well' })
  typescript(title, place)
  jest(title, place)
}

/** Without the platform's package, a service says so in one sentence. */
function withoutBinary(parent, [main]) {
  const { cwd, env } = install('without the platform package', parent, [main])
  const program = `try { new (require('surecal').CalendarService)() } catch (error) {
    console.log(error.code === 'CONFIGURATION' && error.message.includes('surecal-${platformName()}') ? 'well' : error) }`
  must('without the platform package: its name is told', [process.execPath, '-e', program], { cwd, env, says: 'well' })
}

/** npm takes them as they are: nothing is sent. */
function checkPublishable(published, cwd) {
  for (const { name, file } of published) {
    npm(['publish', file, '--dry-run', '--access', 'public'], cwd)
    say(`${name}: npm would publish it`)
  }
}

/** The tarballs of a folder, with what npm lists of them. */
function packedIn(folder) {
  const files = fs.readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  const tried = files.filter((name) => /^surecal-\d/.test(name) || name.startsWith(`surecal-${platformName()}-`))
  return tried.sort().map((name) => {
    const file = path.resolve(folder, name)
    return { ...JSON.parse(npm(['pack', '--dry-run', '--json', file], folder))[0], file }
  })
}

/** `npm pack` as anybody would do it in a checkout. */
function packedHere(folder) {
  const [made] = JSON.parse(npm(['pack', '--json', '--pack-destination', folder], ROOT))
  return [{ ...made, file: path.join(folder, made.filename) }]
}

script(async () => {
  const { values } = parseArgs({ options: { packed: { type: 'string' } } })
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'surecal-package-'))
  const at = (name) => path.join(folder, name)
  try {
    if (!values.packed) await ready('package')
    const published = values.packed ? packedIn(values.packed) : await pack({ out: at('tarballs') })
    if (published.length !== 2) throw new StepFailed(`There are not two tarballs for ${platformName()} to try.`)
    checkContents(published)
    checkPublishable(published, folder)
    const place = install('published form', at('published'), published)
    use('published form', place)
    withoutBinary(at('alone'), published)
    if (values.packed) return
    const own = packedHere(folder)
    checkContents(own)
    use('npm pack', install('npm pack', at('own'), own))
    compare(at('google'), path.join(place.cwd, 'node_modules'))
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
})
