'use strict'

const fs = require('node:fs')
const http = require('node:http')
const { createRequire } = require('node:module')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')
const { once } = require('node:events')
const { Readable } = require('node:stream')
const { pipeline } = require('node:stream/promises')
const { setImmediate: tick, setTimeout: sleep } = require('node:timers/promises')
const compression = require('compression')
const { loadOverFake, deferred } = require('./fakes/load')
const { serving, begin, exchange, jsonOf } = require('./support/exchange')
const { LARGE, waysOfAnswering, told } = require('./support/ways_of_answering')

const KEY = { 'Idempotency-Key': 'key-1', 'X-User': 'ada', 'Accept-Encoding': 'gzip' }
const STEP = 4096
const MIB = 1024 * 1024

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'surecal-'))
const file = path.join(folder, 'answer.bin')
const WAYS = waysOfAnswering(file)
beforeAll(() => fs.writeFileSync(file, LARGE))
afterAll(() => fs.rmSync(folder, { recursive: true }))
afterEach(() => jest.restoreAllMocks())

async function until(isTrue) {
  while (!isTrue()) await sleep(2)
}

/** LARGE in steps; after the first half it waits for `goOn`. */
async function* halting(goOn) {
  for (let at = 0; at < LARGE.length; at += STEP) {
    if (at >= LARGE.length / 2) await goOn
    yield LARGE.subarray(at, at + STEP)
  }
}

/** How a file or a stream is answered with; `open` makes the stream. */
const STREAMED = {
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
    for await (const chunk of open()) if (!res.write(chunk)) await once(res, 'drain')
    res.end()
  },
}

describe.each([
  ['4', 'express4'],
  ['5', 'express'],
])('on Express %s', (_version, name) => {
  const express = require(name)
  const onFinished = createRequire(require.resolve(name))('on-finished')
  let server, fake, runs, left, errors
  afterEach(() => server.stop())

  /**
   * @param {'before'|'after'|'none'} gzip where the compression middleware stands
   * @param {(res: object, next: Function, req: object) => unknown} answer
   */
  async function start(gzip, answer, { options = {}, before = [], parsed = true } = {}) {
    const loaded = loadOverFake()
    fake = loaded.fake
    const service = new loaded.surecal.CalendarService()
    const app = express()
    runs = 0
    left = 0
    errors = []
    app.use((_req, res, next) => {
      res.on('close', () => (left += res.writableFinished ? 0 : 1))
      next()
    })
    if (gzip === 'before') app.use(compression())
    app.use(...before, (req, _res, next) => {
      req.userId = req.get('X-User')
      next()
    })
    if (parsed) app.use(express.json())
    app.use(service.idempotency({ replayable: [303, 422], ...options }))
    if (gzip === 'after') app.use(compression())
    app.all('/classes', (req, res, next) => {
      runs++
      return answer(res, next, req)
    })
    app.use((error, _req, res, next) => {
      errors.push(error.code ?? error.message)
      if (res.headersSent) return next(error)
      return res.status(error.answer ?? 500).json({ error: error.message })
    })
    app.set('env', 'test') // Express writes errors to stderr otherwise.
    server = await serving(app)
  }

  const asked = (headers = {}) => ({ path: '/classes', json: { a: 1 }, headers: { ...KEY, ...headers } })
  const ask = (headers) => exchange(server.port, asked(headers))

  /** Asks, and leaves when the handler runs and `when` is true. */
  async function askAndLeave(when = () => true, headers = {}) {
    const { request, answer } = begin(server.port, asked(headers))
    answer.catch(() => {})
    await until(() => runs > 0 && when())
    request.destroy()
    await until(() => left === 1)
  }

  /** Headers that a file server sends of itself do not belong to the answer. */
  const saidBy = (answered) => {
    const all = told(answered)
    return { ...all, headers: all.headers.filter((line) => !line.startsWith('accept-ranges')) }
  }

  describe.each(['none', 'before', 'after'])('with compression: %s', (gzip) => {
    // compression calls no callback of write, with this middleware or without.
    const ways = Object.entries(WAYS).filter(([way]) => gzip !== 'after' || !/callback/.test(way))
    test.each(ways)('%s, begun when the client has left, is kept and replayed byte for byte', async (_way, answer) => {
      const work = deferred()
      await start(gzip, async (res, next) => {
        await work.promise
        try {
          await answer(res, next)
        } catch (error) {
          next(error)
        }
      })
      await askAndLeave()
      work.resolve()
      await until(() => fake.claims.finished.length === 1)
      const replayed = await ask()
      expect(replayed.headers['idempotent-replayed']).toBe('true')
      expect(runs).toBe(1)
      expect(fake.claims.released).toEqual([])
      // Another key, whose client stays.
      expect(saidBy(replayed)).toEqual(saidBy(await ask({ 'Idempotency-Key': 'key-2' })))
    })

    test.each(Object.entries(STREAMED))(
      '%s whose client leaves in the middle comes to its end and is kept',
      async (_way, answer) => {
        const halt = deferred()
        let given = 0
        const open = () =>
          Readable.from(halting(halt.promise), { objectMode: false, highWaterMark: STEP }).on('data', ({ length }) => {
            given += length
          })
        await start(gzip, (res) => answer(res, open))
        await askAndLeave(() => given >= LARGE.length / 2)
        expect(jsonOf(await ask())).toMatchObject({ status: 'duplicate' })
        await tick()
        halt.resolve()
        await until(() => fake.claims.finished.length === 1)
        const replayed = await ask()
        expect(replayed.headers['idempotent-replayed']).toBe('true')
        expect(saidBy(replayed)).toEqual(saidBy(await ask({ 'Idempotency-Key': 'key-2' })))
        expect(given).toBe(2 * LARGE.length)
        expect(runs).toBe(2)
        expect(fake.claims.released).toEqual([])
        expect(errors).toEqual([])
      },
    )
  })

  test('a handler that watches for the end sees a client that stays, and the end when its answer is whole', async () => {
    const work = deferred()
    const seen = []
    let states
    await start('none', async (res, _next, req) => {
      const watch = (what, emitter, names) => {
        for (const event of names) emitter.on(event, () => seen.push(`${what} ${event}`))
      }
      watch('res', res, ['finish', 'close', 'error'])
      watch('req', req, ['aborted', 'close', 'error'])
      watch('socket', res.socket, ['close', 'end', 'error'])
      watch('socket', req.socket, ['close'])
      onFinished(res, () => seen.push('on-finished'))
      const address = req.socket.remoteAddress
      await work.promise
      states = [
        res.destroyed,
        res.closed,
        res.writableEnded,
        res.headersSent,
        res.socket.destroyed,
        res.socket.writable,
        req.socket.destroyed,
        req.connection.readable,
        onFinished.isFinished(res),
      ]
      expect(req.ip).toBe(address)
      expect(req.socket.remoteAddress).toBe('127.0.0.1')
      res.json({ made: true })
    })
    await askAndLeave()
    await sleep(20)
    expect(seen).toEqual([])
    work.resolve()
    await until(() => seen.length >= 5)
    await sleep(20)
    expect(states).toEqual([false, false, false, false, false, true, false, true, false])
    expect(seen).toEqual(['res finish', 'on-finished', 'res close', 'socket close', 'socket close'])
    expect(jsonOf(await ask())).toEqual({ made: true })
    expect(errors).toEqual([])
  })

  test('a handler whose body was not parsed reads it whole after the client has left', async () => {
    const work = deferred()
    const seen = []
    await start(
      'none',
      async (res, _next, req) => {
        for (const event of ['aborted', 'error']) req.on(event, () => seen.push(event))
        await work.promise
        const body = []
        for await (const chunk of req) body.push(chunk)
        seen.push('read')
        res.send(Buffer.concat(body))
      },
      { parsed: false },
    )
    await askAndLeave()
    work.resolve()
    await until(() => fake.claims.finished.length === 1)
    expect(seen).toEqual(['read'])
    expect(jsonOf(await ask())).toEqual({ a: 1 })
    expect(runs).toBe(1)
  })

  test('a handler whose client leaves in the middle of the request sees that it is cut', async () => {
    const seen = []
    await start(
      'none',
      (res, _next, req) => {
        req.on('aborted', () => seen.push('aborted'))
        req.on('error', ({ code }) => {
          seen.push(code)
          res.status(400).end()
        })
        req.resume()
      },
      { parsed: false },
    )
    const request = http.request({
      port: server.port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/classes',
      headers: KEY,
      agent: false,
    })
    request.on('error', () => {})
    request.write('half')
    await until(() => runs === 1)
    request.destroy()
    await until(() => fake.claims.released.length === 1)
    expect(seen).toEqual(['aborted', 'ECONNRESET'])
  })

  test('a pipeline and what comes after it run on when the client leaves', async () => {
    const halt = deferred()
    const steps = []
    await start('none', async (res) => {
      await pipeline(Readable.from(halting(halt.promise)), res)
      steps.push('after the pipeline')
    })
    await askAndLeave()
    halt.resolve()
    await until(() => steps.length === 1)
    expect(fake.claims.finished).toHaveLength(1)
    expect(errors).toEqual([])
  })

  test('middleware before hears of the end when it is, and once', async () => {
    const halt = deferred()
    const heard = []
    const listens = (req, res, next) => {
      onFinished(res, (error) => heard.push(`on-finished ${error ?? 'without an error'}`))
      res.on('finish', () => heard.push('finish'))
      res.once('close', () => heard.push(`close, destroyed: ${res.destroyed}, ended: ${res.writableEnded}`))
      req.socket.on('close', () => heard.push('socket'))
      next()
    }
    await start('none', (res) => STREAMED['res.sendFile'](res, () => Readable.from(halting(halt.promise))), {
      before: [listens],
    })
    await askAndLeave()
    await until(() => heard.length === 3)
    const before = [...heard].sort()
    halt.resolve()
    await until(() => fake.claims.finished.length === 1)
    await sleep(20)
    expect([...heard].sort()).toEqual(before)
    expect(before).toEqual(['close, destroyed: true, ended: false', 'on-finished without an error', 'socket'])
  })

  test('a client that leaves while a kept answer is under way does not fail the handler', async () => {
    const body = Buffer.alloc(8 * MIB, 'x')
    const steps = []
    await start(
      'none',
      async (res) => {
        await pipeline(Readable.from([body]), res)
        steps.push('after the pipeline')
      },
      { options: { maxBodyBytes: 8 * MIB } },
    )
    const client = net.connect(server.port, '127.0.0.1')
    client.on('error', () => {})
    client.pause()
    client.write(raw('key-1'))
    await until(() => fake.claims.finished.length === 1)
    client.destroy()
    await until(() => steps.length === 1)
    expect(errors).toEqual([])
    expect((await ask()).body.equals(body)).toBe(true)
    expect(runs).toBe(1)
  })

  test.each(['none', 'before', 'after'])(
    'a body that grows over the cap when the client has left is broken off, and the key is free; compression: %s',
    async (gzip) => {
      const halt = deferred()
      let given = 0
      let source
      const noise = Buffer.from(Array.from({ length: 64 * 1024 }, () => Math.floor(Math.random() * 256)))
      await start(gzip, (res) => {
        res.type('txt')
        source = Readable.from(
          (async function* () {
            await halt.promise
            for (; given < 5 * MIB; given += noise.length) yield noise
          })(),
          { objectMode: false },
        )
        return pipeline(source, res).catch((error) => errors.push(error.code))
      })
      await askAndLeave()
      halt.resolve()
      await until(() => fake.claims.released.length === 1 && errors.length === 1)
      expect(errors).toEqual(['ERR_STREAM_PREMATURE_CLOSE'])
      expect(source.destroyed).toBe(true)
      expect(given).toBeLessThan(2 * MIB)
      expect(fake.claims.finished).toEqual([])
    },
  )

  test('an event stream whose client leaves is told so at once', async () => {
    const seen = []
    await start('none', (res, _next, req) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' })
      res.write('data: 1\n\n')
      res.on('close', () => seen.push('res'))
      req.socket.on('close', () => seen.push('socket'))
    })
    await askAndLeave()
    await until(() => seen.length === 2 && fake.claims.released.length === 1)
  })

  test.each([
    ['300 kB, kept', LARGE.length, 1],
    ['5 MB, over the cap', 5 * MIB, 2],
  ])('a client that reads slowly gets every byte of %s', async (_size, size, runsInAll) => {
    const bytes = Buffer.alloc(size, 'abcdefghij')
    await start('none', (res) => {
      res.type('txt')
      Readable.from(bytes, { objectMode: false }).pipe(res)
    })
    const { request, answer } = begin(server.port, asked())
    const [response] = await once(request, 'response')
    response.pause()
    await sleep(50)
    response.resume()
    expect((await answer).body.equals(bytes)).toBe(true)
    expect((await ask()).body.equals(bytes)).toBe(true)
    expect(runs).toBe(runsInAll)
  })

  test('a stream that never ends is let go after orphanMs, and so is the key', async () => {
    const source = new Readable({ read() {} })
    source.push('half')
    await start('none', (res) => pipeline(source, res).catch((error) => errors.push(error.code)), {
      options: { orphanMs: 1000 },
    })
    await askAndLeave()
    expect(source.destroyed).toBe(false)
    await until(() => fake.claims.released.length === 1 && errors.length === 1)
    expect(source.destroyed).toBe(true)
    expect(errors).toEqual(['ERR_STREAM_PREMATURE_CLOSE'])
  })

  test.each([
    ['res.destroy', (res) => res.destroy()],
    ['res.socket.destroy', (res) => res.socket.destroy()],
    ['req.socket.destroy', (_res, req) => req.socket.destroy()],
    ['req.connection.destroy', (_res, req) => req.connection.destroy()],
  ])('%s by the app breaks the answer off, and the key is free', async (_way, cut) => {
    await start('none', (res, _next, req) => {
      res.write('half')
      cut(res, req)
    })
    await expect(ask()).rejects.toMatchObject({ code: 'ECONNRESET' })
    await until(() => fake.claims.released.length === 1)
    expect(fake.claims.finished).toEqual([])
  })

  test('a source that fails when the client has left frees the key', async () => {
    const halt = deferred()
    await start('none', (res, next) => {
      async function* failing() {
        yield 'half'
        await halt.promise
        throw new Error('disk')
      }
      pipeline(Readable.from(failing()), res).catch(next)
    })
    await askAndLeave()
    halt.resolve()
    await until(() => fake.claims.released.length === 1)
    expect(errors).toEqual(['disk'])
    expect(fake.claims.finished).toEqual([])
  })

  test.each([
    ['without a key', 'POST', { 'Idempotency-Key': undefined }],
    ['by GET', 'GET', {}],
  ])('a request %s is untouched: Node breaks the pipe off', async (_which, method, headers) => {
    const source = new Readable({ read() {} })
    source.push('half')
    let own
    await start('none', (res, _next, req) => {
      own = [...Object.keys(Object.getOwnPropertyDescriptors(res)), ...Object.keys(req)]
      own = ['emit', 'write', 'end'].filter((known) => own.includes(known))
      own.push(...[res, req].filter((message) => Object.getOwnPropertyDescriptor(message, 'socket').get))
      return pipeline(source, res).catch((error) => errors.push(error.code))
    })
    const { headers: all, ...more } = asked(headers)
    const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
    const { request, answer } = begin(server.port, { ...more, method, headers: sent })
    answer.catch(() => {})
    await until(() => runs === 1)
    request.destroy()
    await until(() => errors.length === 1)
    expect(errors).toEqual(['ERR_STREAM_PREMATURE_CLOSE'])
    expect(source.destroyed).toBe(true)
    expect(own).toEqual([])
  })

  test('a kept-alive connection gathers no listeners, and a lost one is not held', async () => {
    const counts = []
    const sockets = new Set()
    const counting = (req, _res, next) => {
      const { socket } = req
      sockets.add(socket)
      counts.push(socket.eventNames().map((event) => `${String(event)} ${socket.listenerCount(event)}`))
      next()
    }
    await start(
      'none',
      (res, _next, req) => {
        for (const event of ['close', 'error']) onFinished(res, () => req.socket.listenerCount(event))
        res.sendFile(file)
      },
      { before: [counting] },
    )
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    for (let count = 0; count < 20; count++) {
      const request = http.request({
        port: server.port,
        host: '127.0.0.1',
        method: 'POST',
        path: '/classes',
        agent,
        headers: { ...KEY, 'Idempotency-Key': `alive-${count}`, 'Content-Length': 0 },
      })
      request.end()
      const [response] = await once(request, 'response')
      response.resume()
      await once(response, 'end')
      await tick()
    }
    agent.destroy()
    expect(sockets.size).toBe(1)
    expect(counts[19]).toEqual(counts[1])
    const [socket] = sockets
    await until(() => socket.destroyed)
    expect(runs).toBe(20)
  })

  test('two requests in one write are answered in their order, both kept', async () => {
    await start('none', async (res, _next, req) => {
      const isFirst = req.get('Idempotency-Key') === 'key-1'
      if (isFirst) await sleep(30)
      Readable.from([isFirst ? 'first' : 'second']).pipe(res)
    })
    const client = net.connect(server.port, '127.0.0.1')
    let got = ''
    client.on('data', (bytes) => (got += bytes))
    client.write(raw('key-1') + raw('key-2'))
    await until(() => got.includes('second'))
    expect(got.indexOf('first')).toBeLessThan(got.indexOf('second'))
    client.destroy()
    expect((await ask()).body.toString()).toBe('first')
    expect((await ask({ 'Idempotency-Key': 'key-2' })).body.toString()).toBe('second')
    expect(runs).toBe(2)
  })

  test('a client that leaves with two requests open changes nothing for either', async () => {
    const halt = deferred()
    const ended = []
    await start('none', async (res, _next, req) => {
      const key = req.get('Idempotency-Key')
      await STREAMED[key === 'key-1' ? 'a pipeline' : 'res.sendFile'](res, () => Readable.from(halting(halt.promise)))
      if (key === 'key-1') ended.push(key)
    })
    const client = net.connect(server.port, '127.0.0.1')
    client.write(raw('key-1') + raw('key-2'))
    await until(() => runs === 2)
    client.destroy()
    await until(() => left === 1)
    halt.resolve()
    await until(() => fake.claims.finished.length === 2 && ended.length === 1)
    for (const key of ['key-1', 'key-2']) {
      expect((await ask({ 'Idempotency-Key': key })).body.equals(LARGE)).toBe(true)
    }
    expect(runs).toBe(2)
  })

  test('a client that leaves from the queue of a connection does not hold its key for ever', async () => {
    await start('none', () => {}, { options: { orphanMs: 1000 } })
    const client = net.connect(server.port, '127.0.0.1')
    client.write(raw('key-1') + raw('key-2'))
    await until(() => runs === 2)
    client.destroy()
    await until(() => fake.claims.released.length === 2)
  })

  test('a client that ends its side only is one that left', async () => {
    const work = deferred()
    await start('none', async (res) => {
      await work.promise
      fs.createReadStream(file).pipe(res)
    })
    const client = net.connect(server.port, '127.0.0.1')
    client.write(raw('key-1'))
    await until(() => runs === 1)
    client.end()
    await until(() => left === 1)
    work.resolve()
    await until(() => fake.claims.finished.length === 1)
    expect((await ask()).body.equals(LARGE)).toBe(true)
  })
})

/** The request of `asked`, as it goes over the wire. */
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
