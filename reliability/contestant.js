'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')
const { startEmulator } = require('../lib/testing')
const { audit } = require('./audit')
const { BackendProcess } = require('./backend_process')
const { carryOut } = require('./customer')
const { Database } = require('./database')
const { faultsOf } = require('./faults')
const { figuresOf } = require('./figures')
const { LATENCY_MS } = require('./limits')

/** Operations under way at most. */
const MOST_UNDER_WAY = 400
/** At rest: nothing under way, and no request at Google's for this long. */
const QUIET_MS = 2_000
const SETTLE_POLL_MS = 200
const SETTLE_LIMIT_MS = 90_000

/** Google, with everybody in it, and the database that knows them. */
async function openWorld({ seed, people, classes }) {
  const google = await startEmulator({ seed, latencyMs: LATENCY_MS })
  const database = new Database()
  await google.addUser('head@school.test')
  for (const { email, timeZone, calendarId, refusal, expiresInSeconds } of people) {
    const { credentials } = await google.addUser({ email, timeZone, expiresInSeconds })
    if (refusal === 'revoked') await google.revokeTokens({ email })
    if (refusal === 'readOnly') {
      await google.addCalendar({ id: calendarId, owner: 'head@school.test', sharedWith: { [email]: 'reader' } })
    }
    database.addUser({
      email,
      calendarId,
      google_access_token: credentials.access_token,
      google_refresh_token: credentials.refresh_token,
      google_token_expiry: credentials.expiry_date,
    })
  }
  for (const one of classes) {
    for (const event of one.events) await google.putEvent(one.teacher, event)
    database.addSchoolClass(one)
  }
  return { google, database }
}

/** Begins the operations at their rate, and what befalls the backend and its users between them. */
async function perform({ work, pace, google, database, backend, limits, onProgress }) {
  const outcomes = []
  const running = new Set()
  const kills = []
  const startedAt = performance.now()
  let done = 0
  for (const [index, step] of work.steps.entries()) {
    const early = startedAt + (index * 1_000) / pace - performance.now()
    if (early > 0) await sleep(early)
    while (running.size >= MOST_UNDER_WAY) await Promise.race(running)
    const expiry = work.expiries.get(index)
    if (expiry !== undefined) {
      if (expiry.foreseen) database.expire(expiry.email)
      await google.expireTokens({ email: expiry.email })
    }
    if (work.killMarks.has(index)) kills.push(backend.kill())
    const operation = carryOut(backend, step, limits.hungMs).then((outcome) => {
      outcomes[index] = outcome
      running.delete(operation)
      done += 1
      onProgress({ done, kills: backend.kills })
    })
    running.add(operation)
  }
  await Promise.all([...running, ...kills])
  return outcomes
}

/**
 * Waits until nothing is under way any more, in the backend or at Google's.
 *
 * @returns {Promise<{open: number, pending: object[]}>} what is still under way when the wait is over
 */
async function settle({ work, google, backend, onProgress }) {
  const giveUpAt = performance.now() + SETTLE_LIMIT_MS
  let quietSince = performance.now()
  let seen = -1
  for (;;) {
    const { held, requests } = await google.counts()
    const { underWay, pending } = await backend.underWay()
    // Nothing can be taken back from a calendar that its user may not touch: that waits for the user.
    const waiting = pending.filter(({ userId }) => !work.people.find(({ email }) => email === userId)?.refusal)
    const open = held + underWay + waiting.length
    onProgress({ settling: open })
    if (requests !== seen || open > 0) quietSince = performance.now()
    seen = requests
    if (performance.now() - quietSince > QUIET_MS) return { open: 0, pending }
    if (performance.now() > giveUpAt) return { open, pending }
    await sleep(SETTLE_POLL_MS)
  }
}

/**
 * One contestant under one profile, from an empty world to its figures.
 *
 * @param {object} options
 * @param {'before'|'as written'|'surecal'} options.contestant
 * @param {'realistic'|'harsh'} options.profile
 * @param {ReturnType<import('./workload').workload>} options.work
 * @param {ReturnType<import('./limits').limitsAt>} options.limits
 * @param {number} options.pace operations begun in a second
 * @param {(progress: {done?: number, kills?: number, settling?: number}) => void} options.onProgress
 */
async function measure({ contestant, profile, work, limits, pace, onProgress }) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'surecal-reliability-'))
  const startedAt = performance.now()
  const { google, database } = await openWorld(work)
  const given = { contestant, config: google.config, limits, storePath: path.join(folder, 'surecal.db') }
  const backend = new BackendProcess(given, database)
  try {
    await backend.up()
    await google.fault(faultsOf(profile))
    const outcomes = await perform({ work, pace, google, database, backend, limits, onProgress })
    const rest = await settle({ work, google, backend, onProgress })
    const findings = await audit(google, database, work, outcomes)
    const { requests } = await google.counts()
    const figures = figuresOf(findings, {
      httpCalls: requests,
      kills: backend.kills,
      cut: outcomes.filter(({ cut }) => cut > 0).length,
      seconds: (performance.now() - startedAt) / 1_000,
    })
    return { contestant, profile, figures, findings, rest, google, requests: () => google.requests(), close }
  } catch (error) {
    await close()
    throw error
  }

  async function close() {
    await backend.close()
    await google.close()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

module.exports = { measure }
