'use strict'

// What an item costs when there are ever more of them: operations in flight, attendees of an event, live idempotency keys.
// Time is the processor's, of the whole process, for the clock would measure the machine's two cores. Memory is what is
// resident; of an item it is the slope from one size to the next, for the first ones pay for what all share.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const Database = require('libsql')
const { alone } = require('./alone')
const { cell, goal, median, progress } = require('./figures')
const { startContestant, startServer } = require('./processes')

/** Answers that the server lets pile up: as many exchanges as surecal has under way at once. The rest waits in the process. */
const UNDER_WAY = 100
/** Long enough for whatever is held back; a create that gave up would not be in flight. */
const PATIENCE = { timeoutMs: 60_000, attemptTimeoutMs: 60_000 }

const NO_SERVER = { url: '' }
const FILLED_AT_ONCE = 100_000
/** What an item may cost more where there are ten or a hundred times as many: the noise of two cores. */
const FLAT = 1.25

async function withContestant(attendees, use) {
  const server = await startServer({ tls: true })
  try {
    const contestant = await startContestant(
      'surecal',
      server,
      { attendees, config: PATIENCE },
      { nodeArgs: ['--expose-gc'] },
    )
    const found = await use(contestant, server)
    await contestant.close()
    return found
  } finally {
    await server.close()
  }
}

/** Kilobytes that so many creates in flight add to a process that has done a few before. */
async function heldKb(contestant, server, inFlight) {
  // Fewer than it takes to know what is late: what is held back here is late, and must not be sent again.
  await contestant.ask({ operations: 7, inFlight: 1 })
  const { rssKb: before } = await contestant.ask({ measure: true })
  await server.ask('hold')
  await contestant.ask({ begin: inFlight })
  await server.ask('held', { requests: Math.min(inFlight, UNDER_WAY) })
  const { rssKb } = await contestant.ask({ measure: true })
  await server.ask('release')
  await contestant.ask({ end: true })
  return rssKb - before
}

/** The work of so many at once: processor's microseconds of each. */
async function busyUs(contestant, inFlight, operations) {
  await contestant.ask({ operations, inFlight })
  const { cpuMs } = await contestant.ask({ operations, inFlight })
  return (cpuMs * 1000) / operations
}

/** From each size to the next: what one more item costs. */
function slopes(points, figure) {
  return points.map((point, index) => {
    const before = points[index - 1]
    return before ? (point[figure] - before[figure]) / (point.size - before.size) : undefined
  })
}

const plotted = (points, figure) => points.map((point) => [point.size, figure(point)])
/** The slopes that are more than noise. */
const plottedSlopes = (points, each) =>
  points.map(({ size }, index) => [size, each[index]]).filter(([, cost]) => cost > 0)

async function inFlightGrowth({ quick }) {
  const points = []
  for (const size of quick ? [1, 64, 512] : [1, 8, 64, 512, 4096]) {
    progress(`growth: ${size} operations in flight`)
    points.push(
      await withContestant(20, async (contestant, server) => ({
        size,
        kb: await heldKb(contestant, server, size),
        us: await busyUs(contestant, size, Math.max(size, quick ? 500 : 1500)),
      })),
    )
  }
  const perItem = slopes(points, 'kb')
  const [last, before] = [points.at(-1), points.at(-2)]
  return {
    title:
      'growth: creates in flight, answers held back at the server (memory), then at work (processor); 20 attendees, TLS',
    head: ['in flight', 'MB more', 'kB for each more', 'CPU us/op'],
    rows: points.map(({ size, kb, us }, index) => [
      String(size),
      cell(kb / 1024, 1),
      cell(perItem[index], 1),
      cell(us),
    ]),
    goals: [
      goal(`kB for each more in flight, from ${before.size} to ${last.size}`, perItem.at(-1), 20, { digits: 1 }),
      goal(`CPU per create: ${last.size} in flight beside ${before.size}`, last.us / before.us, FLAT),
    ],
    plots: [
      { title: 'CPU per create', size: 'in flight', unit: 'us', points: plotted(points, ({ us }) => us) },
      { title: 'memory for each more', size: 'in flight', unit: 'kB', points: plottedSlopes(points, perItem) },
    ],
  }
}

async function attendeeGrowth({ quick }) {
  const inFlight = 16
  const points = []
  for (const size of quick ? [1, 64, 512] : [1, 8, 64, 512, 2500]) {
    progress(`growth: ${size} attendees`)
    const operations = Math.max(64, Math.min(quick ? 300 : 1500, Math.round(150_000 / size)))
    points.push(
      await withContestant(size, async (contestant, server) => ({
        size,
        kb: (await heldKb(contestant, server, inFlight)) / inFlight,
        us: await busyUs(contestant, inFlight, operations),
      })),
    )
  }
  const [moreKb, moreUs] = [slopes(points, 'kb'), slopes(points, 'us')]
  const [last, before] = [points.at(-1), points.at(-2)]
  return {
    title: `growth: attendees of each event; creates, ${inFlight} in flight, TLS`,
    head: ['attendees', 'CPU us/op', 'us for each more', 'kB/op', 'kB for each more'],
    rows: points.map(({ size, kb, us }, index) => [
      String(size),
      cell(us),
      cell(moreUs[index], 2),
      cell(kb),
      cell(moreKb[index], 2),
    ]),
    goals: [
      goal(
        `CPU per attendee: ${last.size} beside ${before.size}`,
        last.us / last.size / (before.us / before.size),
        FLAT,
      ),
      goal('CPU for one more attendee: the last step beside the one before', moreUs.at(-1) / moreUs.at(-2), FLAT),
    ],
    plots: [
      {
        title: 'CPU for each more attendee',
        size: 'attendees',
        unit: 'us',
        points: plottedSlopes(points, moreUs),
      },
      {
        title: 'memory for each more attendee',
        size: 'attendees',
        unit: 'kB',
        points: plottedSlopes(points, moreKb),
      },
    ],
  }
}

/** Kilobytes and processor's microseconds of new keys in a store that holds ever more of them. */
async function memoryKeys({ quick }) {
  const contestant = await startContestant('keys', NO_SERVER, { store: 'memory' }, { nodeArgs: ['--expose-gc'] })
  const points = []
  await contestant.ask({ operations: 2000, inFlight: 64 })
  const { rssKb: before } = await contestant.ask({ measure: true })
  for (const size of quick ? [100, 1000, 10_000] : [100, 1000, 10_000, 95_000]) {
    progress(`growth: ${size} keys in memory`)
    const added = size - (points.at(-1)?.size ?? 0)
    const { cpuMs } = await contestant.ask({ operations: added, inFlight: 64 })
    const { rssKb } = await contestant.ask({ measure: true })
    points.push({ size, kb: rssKb - before, us: (cpuMs * 1000) / added })
  }
  await contestant.close()
  return points
}

/**
 * Most of a million keys are copies of the one that ends last, which the store wrote, each with a name and an end of its
 * own: up to half an hour sooner, so that none is expired when it is measured. Those are worked off, four with each write.
 */
function fill(database, keys) {
  const insert = database.prepare(
    `WITH RECURSIVE numbers(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?),
       kept AS (SELECT * FROM records WHERE expires_at IS NOT NULL ORDER BY expires_at DESC LIMIT 1)
     INSERT INTO records
     SELECT substr(kept.key, 1, 16) || lower(hex(randomblob(24))), kept.value, kept.version,
       kept.expires_at - abs(random() % 1800000)
     FROM numbers, kept`,
  )
  for (let left = keys; left > 0; left -= FILLED_AT_ONCE) {
    insert.run(Math.min(left, FILLED_AT_ONCE))
    progress(`growth: ${Math.max(left - FILLED_AT_ONCE, 0)} keys to go into SQLite`)
  }
}

async function sqliteKeys({ quick }) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'surecal-bench-'))
  const file = path.join(folder, 'store.db')
  const contestant = await startContestant('keys', NO_SERVER, { store: { sqlite: file } })
  const points = []
  const [warmUp, operations] = [500, quick ? 200 : 1000]
  try {
    await contestant.ask({ operations: warmUp, inFlight: 64 })
    const database = new Database(file)
    const count = () => database.prepare('SELECT count(*) AS keys FROM records').get().keys
    for (const size of quick ? [1000, 10_000] : [1000, 10_000, 100_000, 1_000_000]) {
      fill(database, size - count())
      await contestant.ask({ operations: warmUp / 5, inFlight: 64 })
      // Or the claims that are measured would pay for what was put there.
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      const rounds = []
      for (let round = 0; round < 3; round += 1) rounds.push(await contestant.ask({ operations, inFlight: 64 }))
      const of = (figure) => median(rounds.map((each) => each[figure])) / operations
      const kb = fs.statSync(file).size / 1024
      points.push({ size, us: of('cpuMs') * 1000, wallUs: of('seconds') * 1e6, rssKb: rounds.at(-1).rssKb, kb })
    }
    database.close()
  } finally {
    await contestant.close()
    fs.rmSync(folder, { recursive: true })
  }
  return points
}

async function memoryKeyGrowth(extent) {
  const points = await memoryKeys(extent)
  const perItem = slopes(points, 'kb')
  const [last, before] = [points.at(-1), points.at(-2)]
  return {
    title: 'growth: live idempotency keys in the memory store (it keeps 100,000), 64 requests at once',
    head: ['keys', 'MB more', 'kB for each more', 'CPU us/key'],
    rows: points.map(({ size, kb, us }, index) => [
      String(size),
      cell(kb / 1024, 1),
      cell(perItem[index], 2),
      cell(us),
    ]),
    goals: [
      goal(`memory store: CPU per key, ${last.size} beside ${before.size}`, last.us / before.us, FLAT),
      goal(`memory store: memory per key, ${last.size} beside ${before.size}`, perItem.at(-1) / perItem.at(-2), FLAT),
    ],
    plots: [
      { title: 'CPU per key, memory store', size: 'live keys', unit: 'us', points: plotted(points, ({ us }) => us) },
      { title: 'memory for each more key', size: 'live keys', unit: 'kB', points: plottedSlopes(points, perItem) },
    ],
  }
}

async function sqliteKeyGrowth(extent) {
  const points = await sqliteKeys(extent)
  const [first, last] = [points[0], points.at(-1)]
  return {
    title: 'growth: live idempotency keys in SQLite, 64 requests at once; most keys are put there beforehand',
    head: ['keys', 'file MB', 'file kB/key', 'process MB', 'CPU us/key', 'us/key'],
    rows: points.map(({ size, kb, rssKb, us, wallUs }) => [
      String(size),
      cell(kb / 1024, 1),
      cell(kb / size, 2),
      cell(rssKb / 1024),
      cell(us),
      cell(wallUs),
    ]),
    goals: [goal(`SQLite: CPU per key, ${last.size} beside ${first.size}`, last.us / first.us, FLAT)],
    plots: [
      { title: 'CPU per key, SQLite', size: 'live keys', unit: 'us', points: plotted(points, ({ us }) => us) },
      {
        title: 'SQLite’s file per key',
        size: 'live keys',
        unit: 'kB',
        points: plotted(points, ({ size, kb }) => kb / size),
      },
    ],
  }
}

async function* growthBench(extent) {
  yield inFlightGrowth(extent)
  yield attendeeGrowth(extent)
  yield memoryKeyGrowth(extent)
  yield sqliteKeyGrowth(extent)
}

module.exports = { growthBench }

if (require.main === module) alone(growthBench)
