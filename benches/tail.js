'use strict'

// What a create takes when one exchange in a hundred never gets an answer, and what being quick to send again costs when
// nothing hangs: calls to Google per create, counted at the server.

const { alone } = require('./alone')
const { lesson } = require('./contestants/lesson')
const { cell, goal, progress } = require('./figures')
const { startContestant, startServer } = require('./processes')

const IN_FLIGHT = 16
const TITLES = { surecal: 'surecal', googleapis: '@googleapis/calendar' }
/** Fix 5 of the guide, CALENDAR_OPERATION_TIMEOUT: what Google's client is given, for it has no limit of its own. */
const TIMEOUT_MS = 10_000

async function measured(name, hangPercent, { operations, warmUp, timeoutMs }) {
  const server = await startServer({ tls: true, hangPercent })
  try {
    const contestant = await startContestant(name, server, { event: lesson(), timeoutMs })
    await contestant.ask({ operations: warmUp, inFlight: IN_FLIGHT })
    const before = await server.ask('counts')
    const round = await contestant.ask({ operations, inFlight: IN_FLIGHT })
    const after = await server.ask('counts')
    await contestant.close()
    return { ...round, calls: after.requests - before.requests, hung: after.hung - before.hung, operations }
  } finally {
    await server.close()
  }
}

async function* tailBench({ quick }) {
  const extent = quick
    ? { operations: 300, warmUp: 100, timeoutMs: 2000 }
    : { operations: 2000, warmUp: 400, timeoutMs: TIMEOUT_MS }
  const found = new Map()
  for (const name of Object.keys(TITLES)) {
    for (const hangPercent of [0, 1]) {
      progress(`tail: ${TITLES[name]}, ${hangPercent} % of exchanges hang`)
      found.set(`${name} ${hangPercent}`, await measured(name, hangPercent, extent))
    }
  }
  const rows = [...found].map(([key, { p50, p99, calls, hung, operations }]) => {
    const [name, hangPercent] = key.split(' ')
    const perCreate = cell(calls / operations, 3)
    return [TITLES[name], `${hangPercent} %`, String(hung), cell(p50, 1), cell(p99), String(calls), perCreate]
  })
  const hanging = found.get('surecal 1')
  const well = found.get('surecal 0')
  yield {
    title: `create + read back where exchanges hang, ${IN_FLIGHT} at once, ${extent.operations} creates, TLS; Google’s client is given a limit of ${extent.timeoutMs / 1000} s`,
    head: ['', 'hanging', 'hung', 'P50 ms', 'P99 ms', 'calls', 'calls per create'],
    rows,
    goals: [
      goal('surecal: P99 less twice the median, 1 % hanging, ms', hanging.p99 - 2 * hanging.p50, 1500, { digits: 0 }),
      goal('surecal: calls without faults beside the two it takes', well.calls / well.operations / 2, 1.03, {
        digits: 4,
      }),
    ],
  }
}

module.exports = { tailBench }

if (require.main === module) alone(tailBench)
