'use strict'

const { spawn } = require('node:child_process')
const { randomInt } = require('node:crypto')
const { once } = require('node:events')
const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const { EMULATOR, packagedFile, whyMissing } = require('./platform')

const CLIENT_ID = 'emulator-client-id'
const CLIENT_SECRET = 'emulator-client-secret'
const START_MS = 10_000
const STOP_MS = 2_000
/** How much of what the emulator says on stderr goes into the error when it does not start. */
const LAST_WORDS = 2_000

/** The largest seed and one more: what `crypto.randomInt` can choose from. */
const SEEDS = 2 ** 48 - 1

/** What `cargo build` left, in a checkout. */
function builtBinary() {
  const root = path.join(__dirname, '..')
  if (!fs.existsSync(path.join(root, 'Cargo.toml'))) return undefined
  const targets = [
    process.env.CARGO_TARGET_DIR && path.resolve(process.env.CARGO_TARGET_DIR),
    path.join(root, 'target'),
  ]
  return targets
    .filter(Boolean)
    .flatMap((target) => ['debug', 'release'].map((kind) => path.join(target, kind, EMULATOR)))
    .find((file) => fs.existsSync(file))
}

function findEmulator(given) {
  const found = given ?? process.env.SURECAL_EMULATOR ?? builtBinary() ?? packagedFile(EMULATOR)
  if (found !== undefined) return found
  throw new Error(
    `surecal/testing has no emulator to start. ${whyMissing()} A binary elsewhere can be named in SURECAL_EMULATOR; ` +
      'in a checkout, `cargo build --package surecal-emulator` makes it.',
  )
}

/** Starts the process and waits for its one line. It ends with its stdin, so it cannot outlive this process. */
async function spawnEmulator({ binary, seed, latencyMs, port, tls }) {
  const flags = { '--seed': seed, '--latency-ms': latencyMs, '--port': port }
  const args = Object.entries(flags).flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)]))
  if (tls) args.push('--tls')
  const child = spawn(findEmulator(binary), args, { stdio: ['pipe', 'pipe', 'pipe'] })
  // Writing to a process that is gone is no news to anybody here.
  child.stdin.on('error', () => {})
  let words = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    words = (words + text).slice(-LAST_WORDS)
  })
  const line = await new Promise((resolve, reject) => {
    let text = ''
    const fail = (why) => {
      clearTimeout(timer)
      child.kill()
      reject(new Error(`surecal-emulator did not start: ${why}${words && `\n${words.trim()}`}`))
    }
    const timer = setTimeout(() => fail(`no line within ${START_MS} ms`), START_MS)
    child.once('error', (error) => fail(error.code ?? 'spawn failed'))
    child.once('close', (code) => fail(`it ended with ${code}`))
    child.stdout.setEncoding('utf8').on('data', (piece) => {
      text += piece
      const end = text.indexOf('\n')
      if (end < 0) return
      clearTimeout(timer)
      child.removeAllListeners('close')
      resolve(text.slice(0, end))
    })
  })
  // Nothing of it may hold the event loop (Jest's workers would not end).
  child.unref()
  for (const pipe of child.stdio) pipe.unref()
  return { child, seed, ...JSON.parse(line) }
}

class Emulator {
  #child
  #controlUrl
  #agent = new http.Agent({ keepAlive: true })

  constructor({ child, seed, url, controlUrl, ca }) {
    this.#child = child
    this.seed = seed
    this.#controlUrl = controlUrl
    this.url = url
    this.tokenUrl = `${url}/token`
    this.config = { rootUrl: url, tokenUrl: this.tokenUrl, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET }
    if (ca !== undefined) {
      this.ca = ca
      this.config.ca = ca
    }
  }

  get pid() {
    return this.#child.pid
  }

  async addUser(user) {
    const made = await this.#post('users', typeof user === 'string' ? { email: user } : user)
    const { accessToken, refreshToken, expiryDate } = made
    return { ...made, credentials: { access_token: accessToken, refresh_token: refreshToken, expiry_date: expiryDate } }
  }

  addCalendar(calendar) {
    return this.#post('calendars', calendar)
  }
  async expireTokens(target = {}) {
    return (await this.#post('tokens/expire', target)).count
  }
  async revokeTokens(target = {}) {
    return (await this.#post('tokens/revoke', target)).count
  }
  async setClient(clientId, clientSecret) {
    await this.#post('client', { clientId, clientSecret })
    Object.assign(this.config, { clientId, clientSecret })
  }

  async fault(...rules) {
    await this.#post('faults', rules.flat())
  }
  async profile(profile) {
    await this.#post('profile', profile)
  }
  async clearFaults() {
    await this.#ask('DELETE', 'faults')
  }
  async release() {
    return (await this.#post('release', {})).released
  }
  async latency(ms) {
    await this.#post('latency', { ms })
  }
  behaviour(changes = {}) {
    return this.#post('behaviour', changes)
  }

  async outage(on) {
    await this.#post('outage', { on })
  }
  async blackHole() {
    return (await this.#post('blackHole', {})).connections
  }
  async closeIdle() {
    return (await this.#post('closeIdle', {})).connections
  }
  async resetConnections() {
    return (await this.#post('resetConnections', {})).connections
  }

  ownerEdit(calendarId, eventId, fields, { put = false } = {}) {
    return this.#post('events/edit', { calendarId, eventId, fields, put })
  }
  async ownerDelete(calendarId, eventId) {
    await this.#post('events/delete', { calendarId, eventId })
  }
  putEvent(calendarId, event) {
    return this.#post('events/raw', { calendarId, event })
  }
  async purgeEvent(calendarId, eventId) {
    return (await this.#post('events/purge', { calendarId, eventId })).purged
  }

  state() {
    return this.#ask('GET', 'state')
  }
  counts() {
    return this.#ask('GET', 'counts')
  }
  events(calendarId, { live = false } = {}) {
    return this.#ask('GET', `events?${new URLSearchParams({ calendarId, live: String(live) })}`)
  }
  history(calendarId, eventId) {
    return this.#ask('GET', `history?${new URLSearchParams({ calendarId, eventId })}`)
  }
  async requests(filter = {}) {
    const matches = (request) => Object.entries(filter).every(([name, value]) => request[name] === value)
    return (await this.#ask('GET', 'requests')).filter(matches)
  }
  mails() {
    return this.#ask('GET', 'mails')
  }
  tokenRequests() {
    return this.#ask('GET', 'tokenRequests')
  }
  async reset() {
    await this.#post('reset', {})
    Object.assign(this.config, { clientId: CLIENT_ID, clientSecret: CLIENT_SECRET })
  }

  async close() {
    this.#agent.destroy()
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.ref()
    this.#child.stdin.end()
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS)
    await ended
    clearTimeout(kill)
  }

  async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    await this.close()
  }

  #post(control, body) {
    return this.#ask('POST', control, JSON.stringify(body ?? null))
  }

  /** The control API, on its own port: an outage does not reach it. */
  async #ask(method, control, body) {
    const request = http.request(`${this.#controlUrl}/_control/${control}`, {
      method,
      agent: this.#agent,
      headers:
        body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    })
    request.end(body)
    const [response] = await once(request, 'response')
    const pieces = []
    for await (const piece of response) pieces.push(piece)
    const answer = JSON.parse(Buffer.concat(pieces).toString('utf8'))
    if (response.statusCode !== 200) throw new Error(`surecal-emulator: ${answer.error ?? response.statusCode}`)
    return answer
  }
}

async function startEmulator(options = {}) {
  // Two emulators with one seed give out the same tokens, and a service remembers a refused one for the whole process.
  const { binary, seed = randomInt(SEEDS), latencyMs, port, tls = false, ...unknown } = options
  const [name] = Object.keys(unknown)
  if (name !== undefined) throw new TypeError(`startEmulator: unknown option ${name}`)
  if (typeof tls !== 'boolean') throw new TypeError('startEmulator: tls must be true or false')
  return new Emulator(await spawnEmulator({ binary, seed, latencyMs, port, tls }))
}

module.exports = { startEmulator, findEmulator }
