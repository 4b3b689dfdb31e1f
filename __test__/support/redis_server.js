'use strict'

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const net = require('node:net')

/** A real Redis on a free port, kept nowhere; without one the tests fail and say what to do. */
async function startRedis() {
  const port = await freePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no']
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const failed = once(child, 'error').then(([error]) => {
    throw new Error(
      `redis-server could not be started (${error.code}). Install it (Debian: apt-get install -y redis-server), or ` +
        'leave these tests out with SURECAL_SKIP_REDIS=1.',
    )
  })
  await Promise.race([failed, ready(child)])
  failed.catch(() => {})
  return {
    url: `redis://127.0.0.1:${port}`,
    pause: () => child.kill('SIGSTOP'),
    goOn: () => child.kill('SIGCONT'),
    async stop() {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}

async function ready(child) {
  let said = ''
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    said += chunk
    if (said.includes('Ready to accept connections')) return child.stdout.resume()
  }
  throw new Error('redis-server ended at once')
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

module.exports = { startRedis }
