'use strict'

// What a program pays before its first call: time and memory of `require` in a fresh process, and what an installation
// weighs. Each package is installed as a user installs it: surecal from the tarballs that are published, the others by npm.
// They stay in cargo's target directory, so that npm fetches them once (googleapis has 200 MB).

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { devDependencies } = require('../package.json')
const { npm, pack } = require('../scripts/pack')
const { bytesIn } = require('../scripts/package_weight')
const { targetDir } = require('../scripts/paths')
const { alone } = require('./alone')
const { cell, goal, median, progress, spread } = require('./figures')

const GOOGLE = '@googleapis/calendar'
const ALL_OF_GOOGLE = 'googleapis'
/** The version that was the newest when this was written; not a dependency, for it is larger than all of them together. */
const ALL_OF_GOOGLE_VERSION = '188.0.0'

/** An empty project with these in it, made once for each list. */
function installed(name, specifiers) {
  const folder = path.join(targetDir(), 'bench-installed', name)
  const manifest = JSON.stringify({ private: true, bench: specifiers })
  const file = path.join(folder, 'package.json')
  const done = path.join(folder, 'installed.json')
  if (fs.existsSync(done) && fs.readFileSync(done, 'utf8') === manifest) return folder
  progress(`load: installing ${name}`)
  fs.rmSync(folder, { recursive: true, force: true })
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(file, manifest)
  npm(['install', '--prefer-offline', '--no-audit', '--no-fund', '--no-save', ...specifiers], folder)
  fs.writeFileSync(done, manifest)
  return folder
}

async function surecal() {
  // Packed anew each time, so never taken for the same.
  const folder = path.join(targetDir(), 'bench-installed', 'tarballs')
  fs.rmSync(folder, { recursive: true, force: true })
  const tarballs = await pack({ out: folder })
  fs.rmSync(path.join(targetDir(), 'bench-installed', 'surecal'), { recursive: true, force: true })
  return installed(
    'surecal',
    tarballs.map(({ file }) => file),
  )
}

/** A fresh process: milliseconds and kilobytes of `require`, and of the first client with it. */
function loaded(cwd, { name, client }) {
  const measured = `const { rss } = process.memoryUsage
    const before = rss(); const began = performance.now()
    const loaded = require('${name}')
    const ms = performance.now() - began; const kb = (rss() - before) / 1024
    const client = ${client}
    const clientMs = performance.now() - began; const clientKb = (rss() - before) / 1024
    console.log(JSON.stringify({ ms, kb, clientMs, clientKb }))`
  return JSON.parse(execFileSync(process.execPath, ['-e', measured], { cwd, encoding: 'utf8' }))
}

async function* loadBench({ quick }) {
  const rounds = quick ? 3 : 11
  const contestants = [
    { name: 'surecal', cwd: await surecal(), client: 'new loaded.CalendarService()' },
    {
      name: GOOGLE,
      cwd: installed('googleapis-calendar', [`${GOOGLE}@${devDependencies[GOOGLE]}`]),
      client: `loaded.calendar({ version: 'v3' })`,
    },
    {
      name: ALL_OF_GOOGLE,
      cwd: installed('googleapis', [`${ALL_OF_GOOGLE}@${ALL_OF_GOOGLE_VERSION}`]),
      client: `loaded.google.calendar({ version: 'v3' })`,
    },
  ]
  for (const one of contestants) one.rounds = []
  for (let number = 0; number <= rounds; number += 1) {
    for (const one of contestants) {
      const figures = loaded(one.cwd, one)
      // The first one reads the files from the disk.
      if (number > 0) one.rounds.push(figures)
    }
    if (number > 0) progress(`load: round ${number} of ${rounds}`)
  }
  const found = contestants.map(({ name, cwd, rounds: measured }) => {
    const modules = path.join(cwd, 'node_modules')
    const { packages } = JSON.parse(fs.readFileSync(path.join(modules, '.package-lock.json')))
    const of = (figure) => median(measured.map((figures) => figures[figure]))
    return {
      name,
      ms: of('ms'),
      noise: spread(measured.map(({ ms }) => ms)),
      mb: of('kb') / 1024,
      clientMs: of('clientMs'),
      clientMb: of('clientKb') / 1024,
      packages: Object.keys(packages).length,
      bytes: bytesIn(modules),
    }
  })
  const [ours] = found
  yield {
    title: `require in a fresh process, and a first client after it; medians of ${rounds}`,
    head: ['', 'require ms', 'RSS MB', 'with a client ms', 'RSS MB', 'packages', 'installed MB', 'noise'],
    rows: found.map(({ name, ms, mb, clientMs, clientMb, packages, bytes, noise }) => [
      name,
      cell(ms, 1),
      cell(mb, 1),
      cell(clientMs, 1),
      cell(clientMb, 1),
      String(packages),
      cell(bytes / 1e6, 1),
      `${cell(noise * 100)} %`,
    ]),
    goals: [
      goal('surecal: require, ms', ours.ms, 30, { digits: 1 }),
      goal('surecal: RSS of require, MB', ours.mb, 10, { digits: 1 }),
      goal('surecal: RSS with a client, MB', ours.clientMb, 10, { digits: 1 }),
    ],
  }
}

module.exports = { loadBench }

if (require.main === module) alone(loadBench)
