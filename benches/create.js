'use strict'

// A create with its read back, 64 at once, of an event with 20 attendees: what it costs with surecal, with
// @googleapis/calendar, with Node's fetch, and with reqwest alone; and surecal without Node, and without an engine. Rounds
// alternate, so that a busy moment of the machine strikes all alike; all ratios are of medians of one run.

const { alone } = require('./alone')
const { lesson } = require('./contestants/lesson')
const { startContestant, startServer } = require('./processes')
const { cell, goal, median, progress, spread } = require('./figures')

const IN_FLIGHT = 64
const NAMES = ['surecal', 'googleapis', 'fetch', 'engine-alone', 'facade', 'bare-reqwest']
const TITLES = {
  surecal: 'surecal',
  googleapis: '@googleapis/calendar',
  fetch: 'fetch (undici)',
  'engine-alone': 'surecal without Node',
  facade: 'surecal’s JavaScript alone, nothing sent',
  'bare-reqwest': 'bare reqwest',
  // What an engine that costs nothing would come to.
  least: 'the last two, added up',
}

/** @returns {Promise<Map<string, object[]>>} of each contestant its rounds */
async function createRounds({ tls, rounds, operations, warmUp, title }) {
  const server = await startServer({ tls })
  const measured = new Map(NAMES.map((name) => [name, []]))
  const contestants = []
  try {
    for (const name of NAMES) contestants.push(await startContestant(name, server, { event: lesson() }))
    for (const one of contestants) await one.ask({ operations: warmUp, inFlight: IN_FLIGHT })
    for (let round = 1; round <= rounds; round += 1) {
      for (const one of contestants) {
        measured.get(one.name).push(await one.ask({ operations, inFlight: IN_FLIGHT }))
      }
      progress(`${title}: round ${round} of ${rounds}`)
    }
  } finally {
    await Promise.all(contestants.map((one) => one.close()))
    await server.close()
  }
  return measured
}

/** Medians of a contestant's rounds, per operation where that makes sense. */
function medians(rounds, operations) {
  const of = (figure) => median(rounds.map(figure))
  return {
    perSecond: of(({ seconds }) => operations / seconds),
    spread: spread(rounds.map(({ seconds }) => seconds)),
    cpuUs: of(({ cpuMs }) => (cpuMs * 1000) / operations),
    cpuSpread: spread(rounds.map(({ cpuMs }) => cpuMs)),
    mainUs: of(({ mainMs }) => (mainMs * 1000) / operations),
    mainCpuUs: of(({ mainCpuMs }) => (mainCpuMs * 1000) / operations),
    p50: of(({ p50 }) => p50),
    p99: of(({ p99 }) => p99),
    loopDelayP99: of(({ loopDelayP99 }) => loopDelayP99),
    peakMb: Math.max(...rounds.map(({ peakRssKb }) => peakRssKb)) / 1024,
  }
}

async function createSection(extent, { tls }) {
  const wire = tls ? 'TLS; surecal and reqwest choose HTTP/2, as they do with Google' : 'plain HTTP/1.1'
  const measured = await createRounds({ ...extent, tls, title: `create + read back (${tls ? 'TLS' : 'plain'})` })
  const found = new Map([...measured].map(([name, rounds]) => [name, medians(rounds, extent.operations)]))
  const [ours, google, script, bare] = ['surecal', 'googleapis', 'facade', 'bare-reqwest'].map((name) =>
    found.get(name),
  )
  return {
    title: `create + read back, ${IN_FLIGHT} at once, 20 attendees; ${wire}; medians of ${extent.rounds} rounds of ${extent.operations}`,
    head: [
      '',
      'ops/s',
      'CPU us/op',
      'main us/op',
      'main CPU us/op',
      'P50 ms',
      'P99 ms',
      'loop P99 ms',
      'peak MB',
      'noise',
    ],
    rows: [...found, ['least', { cpuUs: script.cpuUs + bare.cpuUs }]].map(([name, one]) => [
      TITLES[name],
      cell(one.perSecond),
      cell(one.cpuUs),
      cell(one.mainUs),
      cell(one.mainCpuUs),
      cell(one.p50, 1),
      cell(one.p99, 1),
      cell(one.loopDelayP99, 1),
      cell(one.peakMb),
      one.spread === undefined ? '-' : `${cell(Math.max(one.spread, one.cpuSpread) * 100)} %`,
    ]),
    goals: [
      goal('throughput beside @googleapis/calendar', ours.perSecond / google.perSecond, 4, { least: true }),
      goal('CPU beside @googleapis/calendar', ours.cpuUs / google.cpuUs, 0.25),
      goal('main thread beside @googleapis/calendar', ours.mainUs / google.mainUs, 0.08, { digits: 3 }),
      ...(Number.isFinite(ours.mainCpuUs)
        ? [
            goal('main thread’s CPU beside @googleapis/calendar', ours.mainCpuUs / google.mainCpuUs, 0.08, {
              digits: 3,
            }),
          ]
        : []),
      goal('CPU beside bare reqwest', ours.cpuUs / bare.cpuUs, 1.4),
    ],
  }
}

async function* createBench({ quick, tls, plain }) {
  const extent = quick ? { rounds: 3, operations: 300, warmUp: 300 } : { rounds: 7, operations: 1000, warmUp: 2000 }
  if (tls || !plain) yield createSection(extent, { tls: true })
  if (plain || !tls) yield createSection(extent, { tls: false })
}

module.exports = { createBench }

// With `--tls` or `--plain`, that alone.
if (require.main === module) alone(createBench, ['tls', 'plain'])
