'use strict'

// Before a release: the tag, package.json, Cargo.toml and the changelog must name one version.
//
//   node scripts/release_version.js v1.2.3

const fs = require('node:fs')
const path = require('node:path')
const { ROOT } = require('./paths')
const { StepFailed, script } = require('./run')

const read = (name) => fs.readFileSync(path.join(ROOT, name), 'utf8')

/** What stands in the way of releasing `tag`, as sentences; none if nothing does. */
function obstacles(tag) {
  const version = tag.replace(/^v/, '')
  const inPackage = JSON.parse(read('package.json')).version
  const [, inCargo] = /^\[package\]\nname = "surecal"\nversion = "([^"]+)"/m.exec(read('Cargo.toml')) ?? []
  return [
    ...(inPackage === version ? [] : [`package.json says ${inPackage}, not ${version}.`]),
    ...(inCargo === version ? [] : [`Cargo.toml says ${inCargo}, not ${version}.`]),
    ...(read('CHANGELOG.md').includes(`## [${version}]`) ? [] : [`CHANGELOG.md has no section [${version}].`]),
  ]
}

module.exports = { obstacles }

if (require.main === module)
  script(async () => {
    const found = obstacles(process.argv[2] ?? '')
    if (found.length > 0) throw new StepFailed(found.join(' '))
  })
