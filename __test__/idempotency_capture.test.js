'use strict'

const { setTimeout } = require('node:timers/promises')
const zlib = require('node:zlib')
const compression = require('compression')
const { loadOverFake } = require('./fakes/load')
const { serving, exchange } = require('./support/exchange')
const { LARGE, answerFile, waysOfAnswering, told } = require('./support/ways_of_answering')

const KEY = { 'Idempotency-Key': 'key-1', 'X-User': 'ada' }
const file = answerFile()
const WAYS = waysOfAnswering(file)

describe.each([
  ['4', 'express4'],
  ['5', 'express'],
])('on Express %s', (_version, name) => {
  const express = require(name)
  let server, fake, runs
  afterEach(() => server.stop())

  /** @param {'before'|'after'|'none'} gzip where the compression middleware stands */
  async function start(gzip, answer, options = {}) {
    const loaded = loadOverFake()
    fake = loaded.fake
    const service = new loaded.surecal.CalendarService()
    const app = express()
    runs = 0
    if (gzip === 'before') app.use(compression())
    app.use(express.json())
    app.use((req, _res, next) => {
      req.userId = req.get('X-User')
      next()
    })
    app.use(service.idempotency({ replayable: [303, 422], ...options }))
    if (gzip === 'after') app.use(compression())
    app.post('/classes', (_req, res, next) => {
      runs++
      return answer(res, next)
    })
    app.use((error, _req, res, _next) => res.status(error.answer ?? 500).json({ error: error.message }))
    server = await serving(app)
  }

  const ask = (headers = {}) =>
    exchange(server.port, { path: '/classes', json: { a: 1 }, headers: { ...KEY, ...headers } })

  describe.each(['none', 'before', 'after'])('with compression: %s', (gzip) => {
    // compression calls no callback of write, with this middleware or without.
    const ways = Object.entries(WAYS).filter(([way]) => gzip !== 'after' || !/callback/.test(way))
    test.each(ways)('%s is replayed byte for byte', async (_way, answer) => {
      await start(gzip, answer)
      const headers = { 'Accept-Encoding': 'gzip' }
      const first = await ask(headers)
      const second = await ask(headers)
      expect(first.headers['idempotent-replayed']).toBeUndefined()
      expect(second.headers['idempotent-replayed']).toBe('true')
      expect(runs).toBe(1)
      // Accept-Ranges says what the file server can do, not what the answer is.
      expect(told(second)).toEqual(told(first))
    })

    test('the answer is the one that is given without the middleware', async () => {
      await start(gzip, WAYS['300 kB'])
      const headers = { 'Accept-Encoding': 'gzip' }
      const kept = await ask(headers)
      const bare = await exchange(server.port, {
        path: '/classes',
        json: { a: 1 },
        headers: { ...headers, 'X-User': 'ada' },
      })
      const text = ({ body, headers: { 'content-encoding': encoding } }) =>
        encoding === 'gzip' ? zlib.gunzipSync(body).toString() : body.toString()
      expect(kept.headers['content-encoding']).toBe(gzip === 'none' ? undefined : 'gzip')
      expect(text(kept)).toBe(text(bare))
      expect(runs).toBe(2)
    })
  })

  test('the record is durable before a byte of the answer leaves', async () => {
    const order = []
    await start('none', (res) => {
      res.on('finish', () => order.push('sent'))
      res.write('one')
      res.end('two')
    })
    fake.claims.fate = async () => {
      await setTimeout(50)
      order.push('kept')
      return 'applied'
    }
    const answer = ask().then(() => order.push('received'))
    await answer
    expect(order[0]).toBe('kept')
  })

  test('a body over the cap goes through whole, is not kept, and the key is free after it', async () => {
    await start('none', WAYS['a pipe'], { maxBodyBytes: 1000 })
    for (const count of [1, 2]) {
      const { body, headers } = await ask()
      expect(body.equals(LARGE)).toBe(true)
      expect(headers['idempotent-replayed']).toBeUndefined()
      expect(runs).toBe(count)
    }
    expect(fake.claims.finished).toEqual([])
  })

  test('an event stream goes through as it comes', async () => {
    await start('none', (res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' })
      res.write('data: 1\n\n')
      // Held back, the first chunk would never be seen.
      fake.firstChunkMayGo = () => res.end('data: 2\n\n')
    })
    const answer = ask()
    while (!fake.firstChunkMayGo) await setTimeout(5)
    fake.firstChunkMayGo()
    expect((await answer).body.toString()).toBe('data: 1\n\ndata: 2\n\n')
    expect(fake.claims.finished).toEqual([])
  })

  test('a range is not kept as if it were the whole', async () => {
    await start('none', WAYS['res.sendFile'])
    const part = await ask({ Range: 'bytes=0-9' })
    expect(part.status).toBe(206)
    const whole = await ask()
    expect(whole.body.equals(LARGE)).toBe(true)
    expect(runs).toBe(2)
  })

  test('a head that is held refuses what a head that left refuses', async () => {
    const seen = {}
    await start('none', (res) => {
      res.write('one')
      seen.headersSent = res.headersSent
      const codeOf = (work) => {
        try {
          work()
          return 'none'
        } catch (error) {
          return error.code
        }
      }
      seen.codes = [
        codeOf(() => res.setHeader('X-Late', '1')),
        codeOf(() => res.removeHeader('X-Late')),
        codeOf(() => res.writeHead(500, { 'X-Late': '1' })),
        codeOf(() => res.json({ again: true })),
        codeOf(() => res.write(7)),
        codeOf(() => res.write(null)),
      ]
      seen.endedBefore = res.writableEnded
      res.end('two')
      seen.endedAfter = res.writableEnded
      seen.again = codeOf(() => res.end('three'))
    })
    const answer = await ask()
    const sent = 'ERR_HTTP_HEADERS_SENT'
    expect(seen).toEqual({
      headersSent: true,
      codes: [sent, sent, sent, sent, 'ERR_INVALID_ARG_TYPE', 'ERR_STREAM_NULL_VALUES'],
      endedBefore: false,
      endedAfter: true,
      again: 'none',
    })
    expect(answer.body.toString()).toBe('onetwo')
  })
})
