'use strict'

// Creates begun at once for one teacher whose access token has run out: how often Google is asked for a new one.

const { startEmulator } = require('../lib/testing')
const { emulatorPath } = require('../scripts/paths')
const { alone } = require('./alone')
const { lesson } = require('./contestants/lesson')
const { cell, goal, median, progress, spread } = require('./figures')
const { startContestant } = require('./processes')

const LATENCY_MS = 20
const CONTESTANTS = [
  { title: 'surecal, a client for each request', script: 'expired_surecal', shared: false },
  { title: 'surecal, one client', script: 'expired_surecal', shared: true },
  { title: 'the guide’s fix 2, a client for each request', script: 'expired_googleapis', shared: false },
  { title: '@googleapis/calendar, one client', script: 'expired_googleapis', shared: true },
]

async function start({ title, script, shared }) {
  const google = await startEmulator({ latencyMs: LATENCY_MS, binary: emulatorPath('release') })
  const contestant = await startContestant(script, google, { config: google.config, shared, event: lesson(3) })
  return { title, google, contestant, rounds: [], users: 0 }
}

/** A round of creates by a teacher nobody knew before. */
async function round(one, operations) {
  one.users += 1
  const { credentials } = await one.google.addUser({
    email: `teacher${one.users}@school.example`,
    expiresInSeconds: -60,
  })
  const before = { ...(await one.google.counts()), tokens: (await one.google.tokenRequests()).length }
  const { seconds } = await one.contestant.ask({ operations, inFlight: operations, credentials })
  const after = { ...(await one.google.counts()), tokens: (await one.google.tokenRequests()).length }
  const created = after.liveEvents - before.liveEvents
  if (created !== operations) throw new Error(`${one.title}: ${created} events of ${operations}`)
  return { seconds, calls: after.requests - before.requests, tokens: after.tokens - before.tokens }
}

async function* expiredBench({ quick }) {
  const { operations, rounds } = quick ? { operations: 50, rounds: 2 } : { operations: 200, rounds: 5 }
  const all = []
  try {
    for (const contestant of CONTESTANTS) all.push(await start(contestant))
    for (const one of all) await round(one, operations)
    for (let number = 1; number <= rounds; number += 1) {
      for (const one of all) one.rounds.push(await round(one, operations))
      progress(`${operations} creates on an expired token: round ${number} of ${rounds}`)
    }
  } finally {
    await Promise.all(all.map(({ contestant }) => contestant.close()))
    await Promise.all(all.map(({ google }) => google.close()))
  }
  const found = all.map((one) => {
    const of = (figure) => one.rounds.map((each) => each[figure])
    const worst = Math.max(...of('tokens'))
    return { title: one.title, tokens: worst, calls: median(of('calls')), seconds: of('seconds') }
  })
  yield {
    title: `${operations} creates + read back begun at once on an expired token, ${LATENCY_MS} ms round trip; ${rounds} rounds`,
    head: ['', 'token requests (most)', 'calls', 'seconds', 'noise'],
    rows: found.map(({ title, tokens, calls, seconds }) => [
      title,
      String(tokens),
      String(calls),
      cell(median(seconds), 2),
      `${cell(spread(seconds) * 100)} %`,
    ]),
    goals: [goal('surecal: token requests for all of them', found[0].tokens, 1, { digits: 0 })],
  }
}

module.exports = { expiredBench }

if (require.main === module) alone(expiredBench)
