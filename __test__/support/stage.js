'use strict'

// One emulator for one test file, and the people of its tests. Each test works in a calendar of its own, so that what
// the server holds afterwards can be counted.

const http = require('node:http')
const { startEmulator } = require('../../lib/testing')
const { CalendarService } = require('../../index.js')

/** The control API of an emulator, for what `surecal/testing` has no method for. */
function control(google, method, path, body) {
  return new Promise((resolve, reject) => {
    const url = new URL(`/_control/${path}`, google.controlUrl ?? google.url)
    const request = http.request(url, { method, agent: false }, (response) => {
      const pieces = []
      response.on('data', (piece) => pieces.push(piece))
      response.on('end', () => {
        const text = Buffer.concat(pieces).toString()
        if (response.statusCode !== 200) reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`))
        else resolve(text === '' ? null : JSON.parse(text))
      })
    })
    request.on('error', reject)
    request.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

/** Calls `question` until its answer is truthy; fails after `withinMs`. For what happens a moment after an answer. */
async function until(question, withinMs = 5000) {
  const endsAt = performance.now() + withinMs
  for (;;) {
    const answer = await question()
    if (answer) return answer
    if (performance.now() > endsAt) throw new Error(`not within ${withinMs} ms: ${question}`)
    await new Promise((resolve) => {
      setTimeout(resolve, 20)
    })
  }
}

/**
 * Starts an emulator before a file's tests and ends it after them. `stage.google` is its handle; the services that
 * `stage.service()` makes are closed before it ends.
 */
function setStage(options) {
  const stage = { google: null }
  const services = []
  let people = 0

  beforeAll(async () => {
    stage.google = await startEmulator(options)
  })
  afterEach(async () => {
    await stage.google.clearFaults()
    await Promise.all(services.splice(0).map((service) => service.close({ drainMs: 0 })))
  })
  afterAll(async () => {
    await stage.google?.close()
  })

  /** A new user with an empty calendar: `{ email, accessToken, refreshToken, expiryDate, calendarId }`. */
  stage.user = async (more = {}) => {
    people += 1
    const email = `teacher${people}@school.test`
    const user = await stage.google.addUser({ email, ...more })
    return { ...user, calendarId: user.email }
  }

  /** A service over the emulator. */
  stage.service = (config = {}) => {
    const service = new CalendarService({ ...stage.google.config, ...config })
    services.push(service)
    return service
  }

  stage.control = (method, path, body) => control(stage.google, method, path, body)

  /** What the calendar of `user` holds that is not cancelled. */
  stage.live = (user) => stage.google.events(user.calendarId, { live: true })

  /** The requests that reached the server with this user's token, oldest first. */
  stage.requestsOf = async (user) => (await stage.google.requests()).filter((request) => request.user === user.email)

  /** A fault for one user only. `rule` is as in `surecal/testing`. */
  stage.faultFor = (user, rule) => stage.google.fault({ ...rule, match: { ...rule.match, user: user.email } })

  return stage
}

module.exports = { setStage, control, until }
