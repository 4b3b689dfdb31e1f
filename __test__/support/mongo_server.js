'use strict'

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { randomUUID } = require('node:crypto')

/** A server that speaks MongoDB's protocol over WiredTiger, MongoDB's own storage engine; a Python package. */
const PROGRAM = 'secantusd-py'

/**
 * What the tests with Mongoose run against: the MongoDB that MONGODB_URL names, in a database of their own, else a
 * wire-compatible server, kept nowhere; null where they are left out. Without either the tests fail and say what to do.
 *
 * @returns {{name: string, start: () => Promise<{places: {mongodbUrl: string}, stop: () => Promise<void>}>} | null}
 */
function mongoServer() {
  if (process.env.MONGODB_URL) return { name: 'MongoDB', start: async () => ownDatabase(process.env.MONGODB_URL) }
  if (process.env.SURECAL_SKIP_MONGODB === '1') return null
  return { name: 'a server that speaks MongoDB’s protocol', start }
}

function ownDatabase(text) {
  const url = new URL(text)
  url.pathname = `/surecal-test-${randomUUID()}`
  return { places: { mongodbUrl: url.href }, stop: () => drop(url.href) }
}

async function drop(url) {
  const connection = await require('mongoose').createConnection(url).asPromise()
  await connection.dropDatabase()
  await connection.close()
}

async function start() {
  const child = spawn(PROGRAM, ['--port', '0', '--storage-path', ':memory:'], { stdio: ['ignore', 'ignore', 'pipe'] })
  const failed = once(child, 'error').then(([error]) => {
    throw new Error(
      `${PROGRAM} could not be started (${error.code}). Install it (python3 -m pip install secantusdb==0.7.0b3), name a MongoDB ` +
        'with MONGODB_URL, or leave these tests out with SURECAL_SKIP_MONGODB=1.',
    )
  })
  const port = await Promise.race([failed, portOf(child)])
  failed.catch(() => {})
  return {
    // It says that it is a replica set, whose name it made up itself.
    places: { mongodbUrl: `mongodb://127.0.0.1:${port}/lessons?directConnection=true` },
    async stop() {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
    },
  }
}

async function portOf(child) {
  let said = ''
  for await (const chunk of child.stderr.iterator({ destroyOnReturn: false })) {
    said += chunk
    const [, port] = /listening on 127\.0\.0\.1:(\d+)/.exec(said) ?? []
    if (port) {
      child.stderr.resume()
      return port
    }
  }
  throw new Error(`${PROGRAM} ended at once`)
}

module.exports = { mongoServer }
