'use strict'

// idempotency() itself, without a network: `operations` new keys, each claimed, answered and kept. Node's own response is
// written to a stream that forgets it, so that what remains in memory is what the store keeps.

const { IncomingMessage, ServerResponse } = require('node:http')
const { Writable } = require('node:stream')
const { CalendarService } = require('../..')
const { given, serveRounds } = require('./rounds')

const guard = new CalendarService({ store: given.store }).idempotency()
const LESSON = { title: 'Algebra', schedules: [{ day: 'Monday', slots: ['10:00', '11:00'] }] }
let keys = 0

function request() {
  keys += 1
  const req = Object.assign(new IncomingMessage(null), {
    method: 'POST',
    url: '/classes',
    originalUrl: '/classes',
    headers: { 'content-type': 'application/json', 'idempotency-key': `key-${keys}` },
    userId: 'teacher',
    body: LESSON,
  })
  const res = new ServerResponse(req)
  res.assignSocket(new Writable({ write: (_part, _encoding, done) => done() }))
  return [req, res]
}

serveRounds(
  () =>
    new Promise((resolve, reject) => {
      const [req, res] = request()
      res.on('finish', resolve)
      Promise.resolve(
        guard(req, res, (error) => {
          if (error) return reject(error)
          res.statusCode = 201
          res.setHeader('content-type', 'application/json')
          res.end('{"id":"lesson","title":"Algebra"}')
        }),
      ).catch(reject)
    }),
)
