'use strict'

// A backend's process. Its first argument, as JSON: { contestant, config, limits, storePath }. It tells its parent when it
// listens, asks it as the database, and answers "what is still under way" for the audit's sake.

const { once } = require('node:events')
const express = require('express')
const { databaseClient } = require('./database_client')

const BACKENDS = {
  before: () => require('./before').beforeBackend,
  'as written': () => require('./as_written').asWrittenBackend,
  surecal: () => require('./surecal').surecalBackend,
}

const { contestant, ...given } = JSON.parse(process.argv[2])

let underWay = 0
/** Counts what goes on, also after its request was answered or left. */
function background(promise) {
  underWay += 1
  promise.finally(() => {
    underWay -= 1
  })
}

const backend = BACKENDS[contestant]()({ ...given, database: databaseClient(), background })
const app = express()
app.use(express.json(), (req, res, next) => {
  // Stands for the session: who is asking.
  req.userId = req.get('x-user')
  const { title, description, start, end, timeZone, students } = req.body
  if (title !== undefined) {
    req.eventData = {
      summary: title,
      description,
      start: { dateTime: start, timeZone },
      end: { dateTime: end, timeZone },
      attendees: students.map((email) => ({ email })),
    }
  }
  // A handler goes on when its client has left: it is over when it answers, whether anybody hears it or not.
  const answer = res.end
  background(
    new Promise((resolve) => {
      res.end = (...args) => {
        resolve()
        return answer.apply(res, args)
      }
    }),
  )
  next()
})
backend.routes(app)
app.use((error, req, res, _next) => {
  const isRefusedToken = [error, error.cause].some((one) => one?.response?.status === 401)
  const code = isRefusedToken ? 'GOOGLE_AUTH_FAILED' : error.code
  res.status(500).json({ status: 'error', message: error.message, code })
})

process.on('message', async (message) => {
  if (message.question !== 'under way') return
  process.send({ underWay, pending: await backend.pending() })
})
process.on('disconnect', () => process.exit())

const server = app.listen(0, '127.0.0.1')
once(server, 'listening').then(() => process.send({ port: server.address().port }))
