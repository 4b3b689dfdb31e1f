'use strict'

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { devDependencies } = require('../package.json')
const { npm } = require('./pack')

const GOOGLE = '@googleapis/calendar'
const ROUNDS = 11

/** Bytes of all files below a folder. */
function bytesIn(folder) {
  const entries = fs.readdirSync(folder, { withFileTypes: true, recursive: true })
  return entries
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + fs.statSync(path.join(entry.parentPath, entry.name)).size, 0)
}

/** Median of fresh processes, in milliseconds: from before the `require` until a client can be used. */
function loadTime(cwd, program) {
  const timed = `const began = performance.now(); ${program}; console.log(performance.now() - began)`
  const rounds = Array.from({ length: ROUNDS }, () => Number(execFileSync(process.execPath, ['-e', timed], { cwd })))
  return rounds.sort((one, other) => one - other)[(ROUNDS - 1) / 2]
}

/**
 * Prints installed size and load time of surecal beside those of Google's own client, which is installed for it.
 *
 * @param {string} folder where Google's client may go
 * @param {string} installed the node_modules that surecal alone is in
 */
function compare(folder, installed) {
  fs.mkdirSync(folder)
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }')
  npm(['install', '--prefer-offline', '--no-audit', '--no-fund', `${GOOGLE}@${devDependencies[GOOGLE]}`], folder)
  const packagesIn = (modules) =>
    Object.keys(JSON.parse(fs.readFileSync(path.join(modules, '.package-lock.json'))).packages)
  const row = (name, modules, program) => ({
    name,
    packages: packagesIn(modules).length,
    'installed MB': (bytesIn(modules) / 1e6).toFixed(1),
    'load ms': loadTime(path.dirname(modules), program).toFixed(1),
  })
  const google = `require('${GOOGLE}').calendar({ version: 'v3' })`
  console.table([
    row('surecal', installed, `new (require('surecal').CalendarService)()`),
    row(GOOGLE, path.join(folder, 'node_modules'), google),
  ])
}

module.exports = { bytesIn, compare }
