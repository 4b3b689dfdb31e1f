'use strict'

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const net = require('node:net')

/**
 * A real Redis on a free port, kept nowhere; without one the tests fail and say what to do. `tls` is `{ cert, key }`, files:
 * then it speaks TLS alone. `password` is what it wants.
 */
async function startRedis({ tls, password } = {}) {
  const port = await freePort()
  const ports = tls
    ? ['--port', '0', '--tls-port', String(port), '--tls-cert-file', tls.cert, '--tls-key-file', tls.key]
    : ['--port', String(port)]
  if (tls) ports.push('--tls-auth-clients', 'no')
  if (password) ports.push('--requirepass', password)
  const args = [...ports, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no']
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
    url: `${tls ? 'rediss' : 'redis'}://${password ? `:${password}@` : ''}127.0.0.1:${port}`,
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
