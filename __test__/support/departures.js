'use strict'

const fs = require('node:fs')
const { pipeline } = require('node:stream/promises')
const compression = require('compression')
const { loadOverFake } = require('../fakes/load')
const { serving, begin, exchange } = require('./exchange')
const { until } = require('./until')
const { LARGE } = require('./ways_of_answering')

const KEY = { 'Idempotency-Key': 'key-1', 'X-User': 'ada', 'Accept-Encoding': 'gzip' }
const STEP = 4096

/** LARGE in steps; after the first half it waits for `goOn`. */
async function* halting(goOn) {
  for (let at = 0; at < LARGE.length; at += STEP) {
    if (at >= LARGE.length / 2) await goOn
    yield LARGE.subarray(at, at + STEP)
  }
}

/** How `file`, or a stream, is answered with; `open` makes the stream. */
const waysOfStreaming = (file) => ({
  'a pipe': (res, open) => open().pipe(res),
  'a pipeline': (res, open) => pipeline(open(), res),
  'res.sendFile': (res, open) => {
    jest.spyOn(fs, 'createReadStream').mockImplementation(open)
    res.sendFile(file)
  },
  'res.download': (res, open) => {
    jest.spyOn(fs, 'createReadStream').mockImplementation(open)
    res.download(file, 'class.bin')
  },
  'writes that wait for drain': async (res, open) => {
    res.type('txt')
    // One listener for all: compression takes none off its stream again.
    let drained
    res.on('drain', () => drained?.())
    for await (const chunk of open()) {
      if (res.write(chunk)) continue
      await new Promise((resolve) => {
        drained = resolve
      })
    }
    res.end()
  },
})

/** An app with one guarded route, and clients that leave it. */
class DepartureStage {
  /** How often the handler began. */
  runs = 0
  /** How many clients left, as the first middleware sees it. */
  left = 0
  /** Codes or messages of what came to the app's error handler. */
  errors = []
  #server

  /** @param {string} name the package of Express */
  constructor(name) {
    this.express = require(name)
  }

  get port() {
    return this.#server.port
  }

  /**
   * @param {'before'|'after'|'none'} gzip where the compression middleware stands
   * @param {(res: object, next: Function, req: object) => unknown} answer
   * @param {object} [more]
   * @param {object} [more.options] of the middleware
   * @param {Function[]} [more.before] middleware before it
   * @param {boolean} [more.parsed] whether the body is read before it
   */
  async start(gzip, answer, { options = {}, before = [], parsed = true } = {}) {
    const { surecal, fake } = loadOverFake()
    this.fake = fake
    const service = new surecal.CalendarService()
    const app = this.express()
    app.use((_req, res, next) => {
      res.on('close', () => (this.left += res.writableFinished ? 0 : 1))
      next()
    })
    if (gzip === 'before') app.use(compression())
    app.use(...before, (req, _res, next) => {
      req.userId = req.get('X-User')
      next()
    })
    if (parsed) app.use(this.express.json())
    app.use(service.idempotency({ replayable: [303, 422], ...options }))
    if (gzip === 'after') app.use(compression())
    app.all('/classes', (req, res, next) => {
      this.runs++
      return answer(res, next, req)
    })
    app.use((error, _req, res, next) => {
      this.errors.push(error.code ?? error.message)
      if (res.headersSent) return next(error)
      return res.status(error.answer ?? 500).json({ error: error.message })
    })
    app.set('env', 'test') // Express writes errors to stderr otherwise.
    this.#server = await serving(app)
  }

  stop() {
    return this.#server.stop()
  }

  asked(headers = {}) {
    return { path: '/classes', json: { a: 1 }, headers: { ...KEY, ...headers } }
  }

  ask(headers) {
    return exchange(this.port, this.asked(headers))
  }

  /** Asks, and leaves when the handler runs and `when` is true. */
  async askAndLeave(when = () => true) {
    const { request, answer } = begin(this.port, this.asked())
    answer.catch(() => {})
    await until(() => this.runs > 0 && when())
    request.destroy()
    await until(() => this.left === 1)
  }
}

/** The request of `stage.asked`, as it goes over the wire. */
const raw = (key) =>
  [
    'POST /classes HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/json',
    'Content-Length: 7',
    'X-User: ada',
    `Idempotency-Key: ${key}`,
    '',
    '{"a":1}',
  ].join('\r\n')

module.exports = { KEY, STEP, DepartureStage, halting, raw, until, waysOfStreaming }
