'use strict'

// What `idempotency()` adds to a request, for each store, beside the same app without it. Every contestant is a process
// of its own; rounds alternate between them, so that a busy moment of the machine strikes all alike; medians of rounds.

const { fork } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const http = require('node:http')
const os = require('node:os')
const path = require('node:path')
const { startRedis } = require('../__test__/support/redis_server')

const ROUNDS = 15
const REQUESTS = 200
const WARM_UP = 300
const LESSON = JSON.stringify({ title: 'Algebra', schedules: [{ day: 'Monday', slots: ['10:00', '11:00'] }] })

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]
const show = (line) => process.stdout.write(`${line}\n`)

async function contestant(name, store, limitMs) {
  const child = fork(path.join(__dirname, 'middleware_server.js'), [JSON.stringify({ store })])
  const [{ port }] = await once(child, 'message')
  return { name, limitMs, port, child, agent: new http.Agent({ keepAlive: true, maxSockets: 1 }), medians: [], keys: 0 }
}

/** One request, in milliseconds, with a key that nobody used before. */
function post(to) {
  to.keys += 1
  const headers = { 'content-type': 'application/json', 'idempotency-key': `bench-${to.keys}` }
  const options = { host: '127.0.0.1', port: to.port, path: '/classes', method: 'POST', agent: to.agent, headers }
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const request = http.request(options, (response) => {
      response.resume().on('end', () => {
        if (response.statusCode === 201) resolve(performance.now() - began)
        else reject(new Error(`${to.name} answered ${response.statusCode}`))
      })
    })
    request.on('error', reject).end(LESSON)
  })
}

async function round(to, requests) {
  const times = []
  for (let index = 0; index < requests; index += 1) times.push(await post(to))
  return median(times)
}

async function bench() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'surecal-bench-'))
  const redis = await startRedis()
  const all = [
    await contestant('none', null),
    await contestant('memory', 'memory', 0.3),
    await contestant('SQLite', { sqlite: path.join(folder, 'store.db') }, 1),
    await contestant('Redis', { redis: redis.url }, 1.5),
  ]
  try {
    for (const one of all) await round(one, WARM_UP)
    for (let number = 1; number <= ROUNDS; number += 1) {
      for (const one of all) one.medians.push(await round(one, REQUESTS))
      process.stderr.write(`round ${number} of ${ROUNDS}\n`)
    }
  } finally {
    for (const one of all) one.child.disconnect()
    await redis.stop()
    fs.rmSync(folder, { recursive: true })
  }
  return report(all)
}

function report(all) {
  const none = median(all[0].medians)
  show(`idempotency() per request: medians of ${ROUNDS} rounds of ${REQUESTS} requests, one at a time, each a new key`)
  show('  store    median ms    added ms     wanted')
  let kept = true
  for (const { name, limitMs, medians } of all) {
    const ms = median(medians)
    const wanted = limitMs === undefined ? '' : `<= ${limitMs.toFixed(1)} ${ms - none <= limitMs ? '' : ' MISSED'}`
    kept &&= limitMs === undefined || ms - none <= limitMs
    show(`  ${name.padEnd(8)}${ms.toFixed(3).padStart(10)}${(ms - none).toFixed(3).padStart(12)}     ${wanted}`)
  }
  return kept ? 0 : 1
}

bench().then((code) => {
  process.exitCode = code
})
