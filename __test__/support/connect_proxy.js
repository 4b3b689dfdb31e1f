'use strict'

const { once } = require('node:events')
const net = require('node:net')
const tls = require('node:tls')

/**
 * An HTTP proxy on a free port that makes tunnels, and nothing else. `tunnels` are the targets it was asked for, oldest
 * first. With `login` (`user:password`) it answers 407 to everybody else. With `certificate` (`key` and `cert`, PEM) it is
 * reached by TLS, and would speak HTTP/2 to whoever offered that; no tunnel can be asked for then.
 */
async function startConnectProxy({ login, certificate } = {}) {
  const wanted = login && `Basic ${Buffer.from(login).toString('base64')}`
  const tunnels = []
  const sockets = new Set()
  const keep = (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy())
  }
  const serve = (client) => {
    keep(client)
    if (client.alpnProtocol === 'h2') return client.destroy()
    let head = ''
    client.on('data', function read(piece) {
      head += piece.toString('latin1')
      if (!head.includes('\r\n\r\n')) return
      client.off('data', read)
      const [, target, host, port] = /^CONNECT ((.*):(\d+)) HTTP/.exec(head) ?? []
      const given = /^proxy-authorization: (.*)\r$/im.exec(head)?.[1]
      if (wanted && given !== wanted) {
        client.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n')
        return
      }
      tunnels.push(target)
      const upstream = net.connect(Number(port), host === 'localhost' ? '127.0.0.1' : host, () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n')
        upstream.pipe(client).pipe(upstream)
      })
      keep(upstream)
      upstream.on('close', () => client.destroy())
    })
  }
  const server = certificate
    ? tls.createServer({ ...certificate, ALPNProtocols: ['h2', 'http/1.1'] }, serve)
    : net.createServer(serve)
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: `127.0.0.1:${server.address().port}`,
    tunnels,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

module.exports = { startConnectProxy }
