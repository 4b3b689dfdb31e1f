'use strict'

// What `idempotency()` adds to a request, for each store, and what express-idempotency adds, beside the same app without
// either. Every contestant is a process of its own; rounds alternate between them, so that a busy moment of the machine
// strikes all alike; medians of rounds.

const { fork } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const http = require('node:http')
const os = require('node:os')
const path = require('node:path')
const { startRedis } = require('../__test__/support/redis_server')
const { alone } = require('./alone')
const { cell, goal, median, progress, spread } = require('./figures')

const LESSON = JSON.stringify({ title: 'Algebra', schedules: [{ day: 'Monday', slots: ['10:00', '11:00'] }] })

async function contestant(name, before, limitMs) {
  const child = fork(path.join(__dirname, 'middleware_server.js'), [JSON.stringify(before)])
  const [{ port }] = await once(child, 'message')
  return { name, limitMs, port, child, agent: new http.Agent({ keepAlive: true, maxSockets: 1 }), medians: [], keys: 0 }
}

/** One request: its milliseconds, and its answer. */
function post(to, key) {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key }
  const options = { host: '127.0.0.1', port: to.port, path: '/classes', method: 'POST', agent: to.agent, headers }
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const request = http.request(options, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (part) => {
        body += part
      })
      response.on('end', () => {
        if (response.statusCode === 201) resolve({ ms: performance.now() - began, body })
        else reject(new Error(`${to.name} answered ${response.statusCode}`))
      })
    })
    request.on('error', reject).end(LESSON)
  })
}

async function round(to, requests) {
  const times = []
  for (let index = 0; index < requests; index += 1) {
    to.keys += 1
    times.push((await post(to, `bench-${to.keys}`)).ms)
  }
  return median(times)
}

/** What does not keep the handler from running twice is no contestant. */
async function mustGuard(to) {
  const [{ body: first }, { body: again }] = [await post(to, 'twice'), await post(to, 'twice')]
  if (first !== again) throw new Error(`${to.name}: a repeated key ran the handler again`)
}

async function* middlewareBench({ quick }) {
  const { rounds, requests, warmUp } = quick
    ? { rounds: 5, requests: 50, warmUp: 100 }
    : { rounds: 15, requests: 200, warmUp: 300 }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'surecal-bench-'))
  const redis = await startRedis()
  const all = [
    await contestant('nothing', {}),
    await contestant('surecal, memory', { store: 'memory' }, 0.3),
    await contestant('surecal, SQLite', { store: { sqlite: path.join(folder, 'store.db') } }, 1),
    await contestant('surecal, Redis', { store: { redis: redis.url } }, 1.5),
    await contestant('express-idempotency, memory', { npm: {} }),
    await contestant('express-idempotency, Redis', { npm: { redis: redis.url } }),
  ]
  try {
    for (const one of all.slice(1)) await mustGuard(one)
    for (const one of all) await round(one, warmUp)
    for (let number = 1; number <= rounds; number += 1) {
      for (const one of all) one.medians.push(await round(one, requests))
      progress(`middleware: round ${number} of ${rounds}`)
    }
  } finally {
    // Before Redis ends, which its clients would complain of.
    await Promise.all(
      all.map(({ child }) => {
        const ended = once(child, 'exit')
        child.disconnect()
        return ended
      }),
    )
    await redis.stop()
    fs.rmSync(folder, { recursive: true })
  }
  const none = median(all[0].medians)
  yield {
    title: `idempotency middleware per request: medians of ${rounds} rounds of ${requests}, one at a time, each a new key`,
    head: ['', 'median ms', 'added ms', 'noise'],
    rows: all.map(({ name, medians }) => [
      name,
      cell(median(medians), 3),
      cell(median(medians) - none, 3),
      `${cell(spread(medians) * 100)} %`,
    ]),
    goals: all
      .filter(({ limitMs }) => limitMs !== undefined)
      .map(({ name, limitMs, medians }) => goal(`${name}: added ms`, median(medians) - none, limitMs, { digits: 3 })),
  }
}

module.exports = { middlewareBench }

if (require.main === module) alone(middlewareBench)
