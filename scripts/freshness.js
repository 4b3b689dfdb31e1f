'use strict'

const { createHash } = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { ROOT } = require('./paths')

/** What is known of earlier builds; it goes with node_modules, and then cargo finds out again. */
const STAMPS = path.join(ROOT, 'node_modules', '.cache', 'surecal', 'built.json')

/** Sources by product. Contents are compared, not times: a checkout or a clone changes the times. */
const SOURCES = {
  addon: ['Cargo.toml', 'Cargo.lock', 'build.rs', 'src', 'package.json'],
  emulator: ['Cargo.toml', 'Cargo.lock', 'emulator'],
}

function* filesUnder(entry) {
  const stat = fs.statSync(entry, { throwIfNoEntry: false })
  if (!stat) return
  if (stat.isFile()) yield entry
  else for (const name of fs.readdirSync(entry).sort()) yield* filesUnder(path.join(entry, name))
}

/** A hash of everything a product is made of. */
function printOf(product) {
  const hash = createHash('sha256')
  for (const source of SOURCES[product]) {
    for (const file of filesUnder(path.join(ROOT, source))) {
      hash.update(path.relative(ROOT, file)).update('\0').update(fs.readFileSync(file)).update('\0')
    }
  }
  return hash.digest('hex')
}

/** The built file as it is now: another checkout with the same target directory may have replaced it. */
function lookOf(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false })
  return stat ? `${stat.size}:${stat.mtimeMs}` : null
}

function stamps() {
  try {
    return JSON.parse(fs.readFileSync(STAMPS, 'utf8'))
  } catch {
    return {}
  }
}

/** Whether `file` was built from the sources as they are; `name` tells the builds of one product apart. */
function isFresh(product, name, file) {
  const stamp = stamps()[name]
  return stamp !== undefined && stamp.look === lookOf(file) && stamp.look !== null && stamp.print === printOf(product)
}

function noteBuilt(product, name, file) {
  fs.mkdirSync(path.dirname(STAMPS), { recursive: true })
  const all = { ...stamps(), [name]: { print: printOf(product), look: lookOf(file) } }
  fs.writeFileSync(STAMPS, JSON.stringify(all, null, 2))
}

function readLock(file) {
  try {
    return JSON.parse(fs.readFileSync(path.join(ROOT, file), 'utf8')).packages
  } catch {
    return null
  }
}

/** Whether node_modules holds what package-lock.json asks for; packages for other platforms may be absent. */
function packagesAreFresh() {
  const wanted = readLock('package-lock.json')
  const installed = readLock(path.join('node_modules', '.package-lock.json'))
  if (!wanted || !installed) return false
  return Object.entries(wanted).every(
    ([where, { version, optional }]) =>
      where === '' || (installed[where] ? installed[where].version === version : optional),
  )
}

module.exports = { isFresh, noteBuilt, packagesAreFresh }
