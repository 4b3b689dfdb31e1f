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

/** A fresh process: milliseconds of `program`, and the kilobytes it added. */
function loaded(cwd, program) {
  const measured = `const before = process.memoryUsage.rss(); const began = performance.now(); ${program}
    const ms = performance.now() - began
    console.log(JSON.stringify({ ms, kb: (process.memoryUsage.rss() - before) / 1024 }))`
  return JSON.parse(execFileSync(process.execPath, ['-e', measured], { cwd, encoding: 'utf8' }))
}

async function* loadBench({ quick }) {
  const rounds = quick ? 3 : 11
  const contestants = [
    { name: 'surecal', cwd: await surecal(), program: `new (require('surecal').CalendarService)()` },
    {
      name: GOOGLE,
      cwd: installed('googleapis-calendar', [`${GOOGLE}@${devDependencies[GOOGLE]}`]),
      program: `require('${GOOGLE}').calendar({ version: 'v3' })`,
    },
    {
      name: ALL_OF_GOOGLE,
      cwd: installed('googleapis', [`${ALL_OF_GOOGLE}@${ALL_OF_GOOGLE_VERSION}`]),
      program: `require('${ALL_OF_GOOGLE}').google.calendar({ version: 'v3' })`,
    },
  ]
  for (const one of contestants) one.rounds = []
  for (let number = 0; number <= rounds; number += 1) {
    for (const { cwd, program, rounds: measured } of contestants) {
      const figures = loaded(cwd, program)
      // The first one reads the files from the disk.
      if (number > 0) measured.push(figures)
    }
    if (number > 0) progress(`load: round ${number} of ${rounds}`)
  }
  const found = contestants.map(({ name, cwd, rounds: measured }) => {
    const modules = path.join(cwd, 'node_modules')
    const { packages } = JSON.parse(fs.readFileSync(path.join(modules, '.package-lock.json')))
    const times = measured.map(({ ms }) => ms)
    return {
      name,
      ms: median(times),
      noise: spread(times),
      mb: median(measured.map(({ kb }) => kb)) / 1024,
      packages: Object.keys(packages).length,
      bytes: bytesIn(modules),
    }
  })
  const [ours] = found
  yield {
    title: `require and a client that can be used, in a fresh process; medians of ${rounds}`,
    head: ['', 'load ms', 'RSS MB more', 'packages', 'installed MB', 'noise'],
    rows: found.map(({ name, ms, mb, packages, bytes, noise }) => [
      name,
      cell(ms, 1),
      cell(mb, 1),
      String(packages),
      cell(bytes / 1e6, 1),
      `${cell(noise * 100)} %`,
    ]),
    goals: [
      goal('surecal: load, ms', ours.ms, 30, { digits: 1 }),
      goal('surecal: RSS more, MB', ours.mb, 10, { digits: 1 }),
    ],
  }
}

module.exports = { loadBench }

if (require.main === module) alone(loadBench)
