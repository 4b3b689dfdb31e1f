'use strict'

const http = require('node:http')
const { createRequire } = require('node:module')
const { Readable } = require('node:stream')
const { pipeline } = require('node:stream/promises')
const { setImmediate: tick, setTimeout: sleep } = require('node:timers/promises')
const { deferred } = require('./fakes/load')
const { begin, jsonOf } = require('./support/exchange')
const { KEY, STEP, DepartureStage, halting, until, waysOfStreaming } = require('./support/departures')
const { LARGE, answerFile, waysOfAnswering, told } = require('./support/ways_of_answering')

const MIB = 1024 * 1024
const file = answerFile()
const WAYS = waysOfAnswering(file)
const STREAMED = waysOfStreaming(file)
afterEach(() => jest.restoreAllMocks())

describe.each([
  ['4', 'express4'],
  ['5', 'express'],
])('on Express %s', (_version, name) => {
  const onFinished = createRequire(require.resolve(name))('on-finished')
  let stage
  beforeEach(() => {
    stage = new DepartureStage(name)
  })
  afterEach(() => stage.stop())

  describe.each(['none', 'before', 'after'])('with compression: %s', (gzip) => {
    // compression calls no callback of write, with this middleware or without.
    const ways = Object.entries(WAYS).filter(([way]) => gzip !== 'after' || !/callback/.test(way))
    test.each(ways)('%s, begun when the client has left, is kept and replayed byte for byte', async (_way, answer) => {
      const work = deferred()
      await stage.start(gzip, async (res, next) => {
        await work.promise
        try {
          await answer(res, next)
        } catch (error) {
          next(error)
        }
      })
      await stage.askAndLeave()
      work.resolve()
      await until(() => stage.fake.claims.finished.length === 1)
      const replayed = await stage.ask()
      expect(replayed.headers['idempotent-replayed']).toBe('true')
      expect(stage.runs).toBe(1)
      expect(stage.fake.claims.released).toEqual([])
      // Another key, whose client stays.
      expect(told(replayed)).toEqual(told(await stage.ask({ 'Idempotency-Key': 'key-2' })))
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
        await stage.start(gzip, (res) => answer(res, open))
        await stage.askAndLeave(() => given >= LARGE.length / 2)
        expect(jsonOf(await stage.ask())).toMatchObject({ status: 'duplicate' })
        await tick()
        halt.resolve()
        await until(() => stage.fake.claims.finished.length === 1)
        const replayed = await stage.ask()
        expect(replayed.headers['idempotent-replayed']).toBe('true')
        expect(told(replayed)).toEqual(told(await stage.ask({ 'Idempotency-Key': 'key-2' })))
        expect(given).toBe(2 * LARGE.length)
        expect(stage.runs).toBe(2)
        expect(stage.fake.claims.released).toEqual([])
        expect(stage.errors).toEqual([])
      },
    )
  })

  test('a handler that watches for the end sees a client that stays, and the end when its answer is whole', async () => {
    const work = deferred()
    const seen = []
    let states
    await stage.start('none', async (res, _next, req) => {
      const watch = (what, emitter, names) => {
        for (const event of names) emitter.on(event, () => seen.push(`${what} ${event}`))
      }
      watch('res', res, ['finish', 'close', 'error'])
      watch('req', req, ['aborted', 'close', 'error'])
      watch('socket', res.socket, ['close', 'end', 'error'])
      watch('socket', req.socket, ['close'])
      onFinished(res, () => seen.push('on-finished'))
      const { localPort, remoteAddress } = req.socket
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
      expect([req.ip, req.socket.remoteAddress]).toEqual([remoteAddress, '127.0.0.1'])
      expect([localPort, req.socket.localPort]).toEqual([stage.port, stage.port])
      res.json({ made: true })
    })
    await stage.askAndLeave()
    await sleep(20)
    expect(seen).toEqual([])
    work.resolve()
    await until(() => seen.length >= 5)
    await sleep(20)
    expect(states).toEqual([false, false, false, false, false, true, false, true, false])
    expect(seen).toEqual(['res finish', 'on-finished', 'res close', 'socket close', 'socket close'])
    expect(jsonOf(await stage.ask())).toEqual({ made: true })
    expect(stage.errors).toEqual([])
  })

  test('a handler whose body was not parsed reads it whole after the client has left', async () => {
    const work = deferred()
    const seen = []
    await stage.start(
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
    await stage.askAndLeave()
    work.resolve()
    await until(() => stage.fake.claims.finished.length === 1)
    expect(seen).toEqual(['read'])
    expect(jsonOf(await stage.ask())).toEqual({ a: 1 })
    expect(stage.runs).toBe(1)
  })

  test('a body that the handler never reads is let go with the answer of a client that left', async () => {
    const work = deferred()
    const seen = []
    await stage.start(
      'none',
      async (res, _next, req) => {
        for (const event of ['aborted', 'close']) req.on(event, () => seen.push(event))
        await work.promise
        seen.push('answered')
        res.json({ made: true })
      },
      { parsed: false },
    )
    await stage.askAndLeave()
    work.resolve()
    await until(() => seen.includes('close'))
    expect(seen).toEqual(['answered', 'aborted', 'close'])
    expect(stage.fake.claims.finished).toHaveLength(1)
  })

  test('a client that leaves while the store is asked gets its answer kept', async () => {
    const work = deferred()
    const steps = []
    await stage.start('none', async (res) => {
      await pipeline(Readable.from(halting(Promise.resolve())), res)
      steps.push('after the pipeline')
    })
    const claimed = stage.fake.claims.begin.bind(stage.fake.claims)
    let asks = 0
    stage.fake.claims.begin = async (text) => {
      if (++asks === 1) await work.promise
      return claimed(text)
    }
    const { request, answer } = begin(stage.port, stage.asked())
    answer.catch(() => {})
    await until(() => asks === 1)
    request.destroy()
    await until(() => stage.left === 1)
    work.resolve()
    await until(() => steps.length === 1)
    expect((await stage.ask()).body.equals(LARGE)).toBe(true)
    expect(stage.runs).toBe(1)
  })

  test('a client that leaves while the store is asked, from a handler that never answers, frees its key', async () => {
    const work = deferred()
    await stage.start('none', () => {}, { options: { orphanMs: 1000 } })
    const claimed = stage.fake.claims.begin.bind(stage.fake.claims)
    stage.fake.claims.begin = (text) => work.promise.then(() => claimed(text))
    const { request, answer } = begin(stage.port, stage.asked())
    answer.catch(() => {})
    await sleep(20)
    request.destroy()
    await until(() => stage.left === 1)
    work.resolve()
    await until(() => stage.fake.claims.released.length === 1)
  })

  test('a handler whose client leaves in the middle of the request sees that it is cut', async () => {
    const seen = []
    await stage.start(
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
      port: stage.port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/classes',
      headers: KEY,
      agent: false,
    })
    request.on('error', () => {})
    request.write('half')
    await until(() => stage.runs === 1)
    request.destroy()
    await until(() => stage.fake.claims.released.length === 1)
    expect(seen).toEqual(['aborted', 'ECONNRESET'])
  })

  test('a pipeline and what comes after it run on when the client leaves', async () => {
    const halt = deferred()
    const steps = []
    await stage.start('none', async (res) => {
      await pipeline(Readable.from(halting(halt.promise)), res)
      steps.push('after the pipeline')
    })
    await stage.askAndLeave()
    halt.resolve()
    await until(() => steps.length === 1)
    expect(stage.fake.claims.finished).toHaveLength(1)
    expect(stage.errors).toEqual([])
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
    let isOpen = false
    const open = () => {
      isOpen = true
      return Readable.from(halting(halt.promise))
    }
    await stage.start('none', (res) => STREAMED['res.sendFile'](res, open), { before: [listens] })
    await stage.askAndLeave(() => isOpen)
    await until(() => heard.length === 3)
    const before = [...heard].sort()
    halt.resolve()
    await until(() => stage.fake.claims.finished.length === 1)
    await sleep(20)
    expect([...heard].sort()).toEqual(before)
    expect(before).toEqual(['close, destroyed: true, ended: false', 'on-finished without an error', 'socket'])
  })

  test.each(['none', 'before', 'after'])(
    'a body that grows over the cap when the client has left is broken off, and the key is free; compression: %s',
    async (gzip) => {
      const halt = deferred()
      let given = 0
      let source
      const noise = Buffer.from(Array.from({ length: 64 * 1024 }, () => Math.floor(Math.random() * 256)))
      await stage.start(gzip, (res) => {
        res.type('txt')
        source = Readable.from(
          (async function* () {
            await halt.promise
            for (; given < 5 * MIB; given += noise.length) yield noise
          })(),
          { objectMode: false },
        )
        return pipeline(source, res).catch((error) => stage.errors.push(error.code))
      })
      await stage.askAndLeave()
      halt.resolve()
      await until(() => stage.fake.claims.released.length === 1 && stage.errors.length === 1)
      expect(stage.errors).toEqual(['ERR_STREAM_PREMATURE_CLOSE'])
      expect(source.destroyed).toBe(true)
      expect(given).toBeLessThan(2 * MIB)
      expect(stage.fake.claims.finished).toEqual([])
    },
  )

  test('an event stream whose client leaves is told so at once', async () => {
    const seen = []
    await stage.start('none', (res, _next, req) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' })
      res.write('data: 1\n\n')
      res.on('close', () => seen.push('res'))
      req.socket.on('close', () => seen.push('socket'))
    })
    await stage.askAndLeave()
    await until(() => seen.length === 2 && stage.fake.claims.released.length === 1)
  })

  test('a stream that never ends is let go after orphanMs, and so is the key', async () => {
    const source = new Readable({ read() {} })
    source.push('half')
    await stage.start('none', (res) => pipeline(source, res).catch((error) => stage.errors.push(error.code)), {
      options: { orphanMs: 1000 },
    })
    await stage.askAndLeave()
    expect(source.destroyed).toBe(false)
    await until(() => stage.fake.claims.released.length === 1 && stage.errors.length === 1)
    expect(source.destroyed).toBe(true)
    expect(stage.errors).toEqual(['ERR_STREAM_PREMATURE_CLOSE'])
  })

  test('a source that fails when the client has left frees the key', async () => {
    const halt = deferred()
    await stage.start('none', (res, next) => {
      async function* failing() {
        yield 'half'
        await halt.promise
        throw new Error('disk')
      }
      pipeline(Readable.from(failing()), res).catch(next)
    })
    await stage.askAndLeave()
    halt.resolve()
    await until(() => stage.fake.claims.released.length === 1)
    expect(stage.errors).toEqual(['disk'])
    expect(stage.fake.claims.finished).toEqual([])
  })
})
