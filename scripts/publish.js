'use strict'

// Publishes the tarballs of a folder to npm with provenance, the platforms' first. What is published already is left: a run
// that broke off can be started again.
//
//   node scripts/publish.js FOLDER

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const described = require('../package.json')
const { PUBLISHED } = require('../lib/platform')
const { StepFailed, say, script } = require('./run')

/** The tarballs in the order in which they go out. Throws if one is missing or there is one too many. */
function inOrder(names, version) {
  const wanted = [...PUBLISHED.map((platform) => `surecal-${platform}-${version}.tgz`), `surecal-${version}.tgz`]
  const missing = wanted.filter((name) => !names.includes(name))
  const strange = names.filter((name) => !wanted.includes(name))
  if (missing.length > 0) throw new StepFailed(`Nothing was published: ${missing.join(', ')} is missing.`)
  if (strange.length > 0) throw new StepFailed(`Nothing was published: ${strange.join(', ')} is not known.`)
  return wanted
}

const npm = (args) => spawnSync('npm', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

function publish(folder) {
  const { version } = described
  for (const file of inOrder(fs.readdirSync(folder), version)) {
    const name = file.slice(0, -`-${version}.tgz`.length)
    const known = npm(['view', `${name}@${version}`, 'version'])
    if (known.status === 0 && known.stdout.trim() === version) {
      say(`${name}@${version} is published already`)
      continue
    }
    const tag = version.includes('-') ? 'next' : 'latest'
    const sent = npm(['publish', path.resolve(folder, file), '--provenance', '--access', 'public', '--tag', tag])
    if (sent.status !== 0) throw new StepFailed(`${name}@${version} was not published; those before it were.`)
    say(`published ${name}@${version}`)
  }
}

module.exports = { inOrder }

if (require.main === module) script(async () => publish(process.argv[2]))
