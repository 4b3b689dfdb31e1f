'use strict'

const { fork } = require('node:child_process')
const { once } = require('node:events')
const http = require('node:http')
const path = require('node:path')

const PROGRAM = path.join(__dirname, 'backend', 'process.js')
const START_LIMIT_MS = 60_000

/**
 * A backend that is killed and started again. What stands before it (a load balancer) holds requests while it is down,
 * and cuts those that were under way.
 */
class BackendProcess {
  #given
  #database
  #child
  #ready
  #agent
  kills = 0

  /**
   * @param {object} given for backend/process.js
   * @param {import('./database').Database} database
   */
  constructor(given, database) {
    this.#given = given
    this.#database = database
    this.#ready = this.#start()
  }

  /** Resolves to its port. */
  #start() {
    const child = fork(PROGRAM, [JSON.stringify(this.#given)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.#child = child
    this.#agent = new http.Agent({ keepAlive: true })
    const port = new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`The backend of "${this.#given.contestant}" did not start: ${why}.`))
      const timer = setTimeout(() => fail(`it does not listen after ${START_LIMIT_MS / 1_000} s`), START_LIMIT_MS)
      child.once('exit', (code, signal) => {
        clearTimeout(timer)
        fail(`it ended with ${signal ?? code}`)
      })
      child.on('message', (message) => {
        if (message.port !== undefined) {
          clearTimeout(timer)
          resolve(message.port)
        }
        // What a process asked and did not live to hear has happened all the same, as with any database.
        if (message.query !== undefined) {
          const value = this.#database.ask(message.name, ...message.args)
          if (child.connected) child.send({ answerTo: message.query, value }, () => {})
        }
      })
    })
    // Told to whoever waits for it.
    port.catch(() => {})
    return port
  }

  async up() {
    await this.#ready
  }

  /** As by `kill -9`, and a new start. Not before it is up: a process that was never there cannot be killed. */
  async kill() {
    await this.#ready
    const child = this.#child
    const dead = once(child, 'exit')
    child.kill('SIGKILL')
    this.kills += 1
    this.#ready = dead.then(() => {
      this.#agent.destroy()
      return this.#start()
    })
    await this.#ready
  }

  /**
   * One request of a browser.
   *
   * @returns {Promise<{status: number, body: object, retryAfterMs: number | null} | 'cut' | 'hung'>}
   */
  async post(route, { user, key, body, limitMs }) {
    const port = await this.#ready
    const text = JSON.stringify(body)
    return new Promise((resolve) => {
      const request = http.request({
        host: '127.0.0.1',
        port,
        method: 'POST',
        path: route,
        agent: this.#agent,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
          'x-user': user,
          'x-idempotency-key': key,
        },
      })
      const timer = setTimeout(() => {
        resolve('hung')
        request.destroy()
      }, limitMs)
      const settle = (answer) => {
        clearTimeout(timer)
        resolve(answer)
      }
      request.on('error', () => settle('cut'))
      request.on('response', (response) => {
        const pieces = []
        response.on('data', (piece) => pieces.push(piece))
        response.on('error', () => settle('cut'))
        response.on('end', () => {
          const { statusCode: status, headers } = response
          const answer = JSON.parse(Buffer.concat(pieces).toString('utf8'))
          const seconds = Number(headers['retry-after'] ?? answer.retryAfter ?? NaN)
          settle({ status, body: answer, retryAfterMs: Number.isFinite(seconds) ? seconds * 1_000 : null })
        })
      })
      request.end(text)
    })
  }

  /**
   * What is under way in it: the number of requests and of what it does in the background, and the clean-up that its
   * service lists.
   *
   * @returns {Promise<{underWay: number, pending: object[]}>}
   */
  async underWay() {
    await this.#ready
    const child = this.#child
    return new Promise((resolve) => {
      const hear = (message) => {
        if (message.underWay === undefined) return
        child.off('message', hear)
        resolve(message)
      }
      child.on('message', hear)
      child.send({ question: 'under way' })
    })
  }

  async close() {
    this.#agent.destroy()
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const dead = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await dead
  }
}

module.exports = { BackendProcess }
