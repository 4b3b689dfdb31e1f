'use strict'

const http = require('node:http')
const { once } = require('node:events')

/** A server on a free port over `handler` (an Express app), and how to end it. */
async function serving(handler) {
  const server = http.createServer(handler)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  return {
    port,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Starts a request whose answer may be left; `answer` resolves to it, byte for byte: nothing is decoded. */
function begin(port, { method = 'POST', path = '/', headers = {}, json, body }) {
  const bytes = json === undefined ? body : JSON.stringify(json)
  const request = http.request({
    port,
    host: '127.0.0.1',
    method,
    path,
    agent: false,
    headers: {
      ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(bytes === undefined ? {} : { 'Content-Length': Buffer.byteLength(bytes) }),
      ...headers,
    },
  })
  const answer = new Promise((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (response) => {
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode: status, headers: got, rawHeaders } = response
        resolve({ status, headers: got, rawHeaders, body: Buffer.concat(chunks) })
      })
    })
  })
  request.end(bytes)
  return { request, answer }
}

const exchange = (port, asked) => begin(port, asked).answer

const jsonOf = ({ body }) => JSON.parse(body.toString())

module.exports = { serving, begin, exchange, jsonOf }
