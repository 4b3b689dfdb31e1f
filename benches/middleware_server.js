'use strict'

// One contestant: an Express app in a process of its own. Argument: what stands before the handler, as JSON.

const express = require('express')
const { idempotency, getSharedIdempotencyService } = require('express-idempotency')
const { default: RedisAdapter } = require('express-idempotency-redis-adapter')
const { CalendarService } = require('..')

const { store, npm } = JSON.parse(process.argv[2])

/** express-idempotency leaves it to the handler to stop when an answer was sent already. */
async function npmMiddleware() {
  const dataAdapter = npm.redis && new RedisAdapter({ connectionConfig: { url: npm.redis } })
  await dataAdapter?.connect()
  const isHit = (req, _res, next) => (getSharedIdempotencyService().isHit(req) ? undefined : next())
  return [idempotency({ ...(dataAdapter && { dataAdapter }) }), isHit]
}

async function main() {
  const app = express()
  app.use(express.json())
  app.use((req, _res, next) => {
    req.userId = 'teacher'
    next()
  })
  if (store) app.use(new CalendarService({ store }).idempotency())
  if (npm) app.use(await npmMiddleware())
  let made = 0
  app.post('/classes', (req, res) => {
    made += 1
    res.status(201).json({ id: `lesson-${made}`, title: req.body.title })
  })
  const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
}

process.on('disconnect', () => process.exit(0))
main()
