'use strict'

// Thousands of creates begun in one moment, with the limits a service has by default: what they open, counted at the server.

const { alone } = require('./alone')
const { lesson } = require('./contestants/lesson')
const { cell, goal, progress } = require('./figures')
const { startContestant, startServer } = require('./processes')

const TITLES = { surecal: 'surecal', googleapis: '@googleapis/calendar' }
/** Out of the way, for they would only make the bench longer; `maxInFlight` is the default. */
const LIMITS = { perUserPerMinute: 1_000_000, perProjectPerMinute: 1_000_000 }

async function measured(name, tls, operations) {
  const wire = tls ? 'TLS' : 'plain HTTP/1.1'
  progress(`burst of ${operations}: ${TITLES[name]}, ${wire}`)
  const server = await startServer({ tls })
  try {
    const contestant = await startContestant(name, server, { event: lesson(), limits: LIMITS })
    const round = await contestant.ask({ operations, inFlight: operations, mayFail: true })
    const { connections, requests } = await server.ask('counts')
    await contestant.close()
    return { title: `${TITLES[name]}, ${wire}`, ...round, connections, perCreate: requests / operations }
  } finally {
    await server.close()
  }
}

async function* burstBench({ quick }) {
  const operations = quick ? 512 : 4096
  const found = []
  for (const name of Object.keys(TITLES)) {
    for (const tls of [true, false]) found.push(await measured(name, tls, operations))
  }
  const [ours] = found
  yield {
    title: `${operations} creates + read back begun at once by a process that opened nothing before`,
    head: ['', 'connections', 'calls per create', 'failed', 'seconds', 'P50 ms', 'P99 ms', 'peak MB'],
    rows: found.map(({ title, connections, perCreate, failed, seconds, p50, p99, peakRssKb }) => [
      title,
      String(connections),
      cell(perCreate, 3),
      String(failed),
      cell(seconds, 1),
      cell(p50),
      cell(p99),
      cell(peakRssKb / 1024),
    ]),
    goals: [
      goal('surecal over TLS: connections', ours.connections, 8, { digits: 0 }),
      goal('surecal over TLS: calls beside the two that a create takes', ours.perCreate / 2, 1.03, { digits: 4 }),
      goal('surecal over TLS: failed', ours.failed, 0, { digits: 0 }),
    ],
  }
}

module.exports = { burstBench }

if (require.main === module) alone(burstBench)
