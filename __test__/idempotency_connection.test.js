'use strict'

const fs = require('node:fs')
const http = require('node:http')
const { createRequire } = require('node:module')
const net = require('node:net')
const { once } = require('node:events')
const { Readable } = require('node:stream')
const { pipeline } = require('node:stream/promises')
const { setImmediate: tick, setTimeout: sleep } = require('node:timers/promises')
const { deferred } = require('./fakes/load')
const { begin, jsonOf } = require('./support/exchange')
const { KEY, DepartureStage, halting, raw, until, waysOfStreaming } = require('./support/departures')
const { LARGE, answerFile } = require('./support/ways_of_answering')

const MIB = 1024 * 1024
const file = answerFile()
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

  test('a handler that listens to the connection hears of its end after an answer that was taken', async () => {
    let ends = 0
    await stage.start('none', (res, _next, req) => {
      req.socket.once('close', () => ends++)
      res.socket.on('close', () => ends++)
      const never = () => (ends += 100)
      req.socket.on('close', never)
      req.socket.off('close', never)
      res.json({ made: true })
    })
    const client = net.connect(stage.port, '127.0.0.1')
    client.write(raw('key-1'))
    await once(client, 'data')
    expect(ends).toBe(0)
    client.destroy()
    await until(() => ends === 2)
  })

  test('a client that leaves while a kept answer is under way does not fail the handler', async () => {
    const body = Buffer.alloc(8 * MIB, 'x')
    const steps = []
    await stage.start(
      'none',
      async (res) => {
        await pipeline(Readable.from([body]), res)
        steps.push('after the pipeline')
      },
      { options: { maxBodyBytes: 8 * MIB } },
    )
    const client = net.connect(stage.port, '127.0.0.1')
    client.on('error', () => {})
    client.write(raw('key-1'))
    await once(client, 'data')
    client.pause()
    await sleep(20)
    client.resetAndDestroy()
    await until(() => steps.length === 1)
    expect(stage.errors).toEqual([])
    expect((await stage.ask()).body.equals(body)).toBe(true)
    expect(stage.runs).toBe(1)
  })

  test.each([
    ['300 kB, kept', LARGE.length, 1],
    ['5 MB, over the cap', 5 * MIB, 2],
  ])('a client that reads slowly gets every byte of %s', async (_size, size, runsInAll) => {
    const bytes = Buffer.alloc(size, 'abcdefghij')
    await stage.start('none', (res) => {
      res.type('txt')
      Readable.from(bytes, { objectMode: false }).pipe(res)
    })
    const { request, answer } = begin(stage.port, stage.asked())
    const [response] = await once(request, 'response')
    response.pause()
    await sleep(50)
    response.resume()
    expect((await answer).body.equals(bytes)).toBe(true)
    expect((await stage.ask()).body.equals(bytes)).toBe(true)
    expect(stage.runs).toBe(runsInAll)
  })

  test.each([
    ['res.destroy', (res) => res.destroy()],
    ['res.socket.destroy', (res) => res.socket.destroy()],
    ['req.socket.destroy', (_res, req) => req.socket.destroy()],
    ['req.connection.destroy', (_res, req) => req.connection.destroy()],
  ])('%s by the app breaks the answer off, and the key is free', async (_way, cut) => {
    await stage.start('none', (res, _next, req) => {
      res.write('half')
      cut(res, req)
    })
    await expect(stage.ask()).rejects.toMatchObject({ code: 'ECONNRESET' })
    await until(() => stage.fake.claims.released.length === 1)
    expect(stage.fake.claims.finished).toEqual([])
  })

  test.each([
    ['without a key', 'POST', { 'Idempotency-Key': undefined }],
    ['by GET', 'GET', {}],
  ])('a request %s is untouched: Node breaks the pipe off', async (_which, method, headers) => {
    const source = new Readable({ read() {} })
    source.push('half')
    let own
    await stage.start('none', (res, _next, req) => {
      own = [...Object.keys(Object.getOwnPropertyDescriptors(res)), ...Object.keys(req)]
      own = ['emit', 'write', 'end'].filter((known) => own.includes(known))
      own.push(...[res, req].filter((message) => Object.getOwnPropertyDescriptor(message, 'socket').get))
      return pipeline(source, res).catch((error) => stage.errors.push(error.code))
    })
    const { headers: all, ...more } = stage.asked(headers)
    const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
    const { request, answer } = begin(stage.port, { ...more, method, headers: sent })
    answer.catch(() => {})
    await until(() => stage.runs === 1)
    request.destroy()
    await until(() => stage.errors.length === 1)
    expect(stage.errors).toEqual(['ERR_STREAM_PREMATURE_CLOSE'])
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
    await stage.start(
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
        port: stage.port,
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
    expect(stage.runs).toBe(20)
  })

  test('two requests in one write are answered in their order, both kept', async () => {
    await stage.start('none', async (res, _next, req) => {
      const isFirst = req.get('Idempotency-Key') === 'key-1'
      if (isFirst) await sleep(30)
      Readable.from([isFirst ? 'first' : 'second']).pipe(res)
    })
    const client = net.connect(stage.port, '127.0.0.1')
    let got = ''
    client.on('data', (bytes) => (got += bytes))
    client.write(raw('key-1') + raw('key-2'))
    await until(() => got.includes('second'))
    expect(got.indexOf('first')).toBeLessThan(got.indexOf('second'))
    client.destroy()
    expect((await stage.ask()).body.toString()).toBe('first')
    expect((await stage.ask({ 'Idempotency-Key': 'key-2' })).body.toString()).toBe('second')
    expect(stage.runs).toBe(2)
  })

  test('a client that leaves with two requests open changes nothing for either', async () => {
    const halt = deferred()
    const ended = []
    await stage.start('none', async (res, _next, req) => {
      const key = req.get('Idempotency-Key')
      await STREAMED[key === 'key-1' ? 'a pipeline' : 'res.sendFile'](res, () => Readable.from(halting(halt.promise)))
      if (key === 'key-1') ended.push(key)
    })
    const client = net.connect(stage.port, '127.0.0.1')
    client.write(raw('key-1') + raw('key-2'))
    await until(() => stage.runs === 2)
    client.destroy()
    await until(() => stage.left === 1)
    halt.resolve()
    await until(() => stage.fake.claims.finished.length === 2 && ended.length === 1)
    for (const key of ['key-1', 'key-2']) {
      expect((await stage.ask({ 'Idempotency-Key': key })).body.equals(LARGE)).toBe(true)
    }
    expect(stage.runs).toBe(2)
  })

  test('a client that leaves from the queue of a connection does not hold its key for ever', async () => {
    await stage.start('none', () => {}, { options: { orphanMs: 1000 } })
    const client = net.connect(stage.port, '127.0.0.1')
    client.write(raw('key-1') + raw('key-2'))
    await until(() => stage.runs === 2)
    client.destroy()
    await until(() => stage.fake.claims.released.length === 2)
  })

  test('a client that ends its side only is one that left', async () => {
    const work = deferred()
    await stage.start('none', async (res) => {
      await work.promise
      fs.createReadStream(file).pipe(res)
    })
    const client = net.connect(stage.port, '127.0.0.1')
    client.write(raw('key-1'))
    await until(() => stage.runs === 1)
    client.end()
    await until(() => stage.left === 1)
    work.resolve()
    await until(() => stage.fake.claims.finished.length === 1)
    expect((await stage.ask()).body.equals(LARGE)).toBe(true)
  })

  test('a client that ends its side in the moment of the answer does not fail the handler', async () => {
    const work = deferred()
    const seen = []
    const listens = (req, _res, next) => {
      req.socket.on('end', work.resolve)
      next()
    }
    await stage.start(
      'none',
      async (res) => {
        for (const event of ['finish', 'close']) res.on(event, () => seen.push(event))
        await work.promise
        res.json({ made: true })
      },
      { before: [listens] },
    )
    const client = net.connect(stage.port, '127.0.0.1')
    client.write(raw('key-1'))
    await until(() => stage.runs === 1)
    client.end()
    await until(() => seen.includes('close'))
    expect(seen).toEqual(['finish', 'close'])
    expect(jsonOf(await stage.ask())).toEqual({ made: true })
  })
})
