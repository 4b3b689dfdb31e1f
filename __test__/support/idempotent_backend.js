'use strict'

// A backend of its own process. It is told by its first argument, as JSON: `config` of the service, `runs` (a file that
// gets a line for each run of a handler). The request says what the handler does:
//   POST /work?ms=20    answers after that time
//   POST /hang          answers when told to by the message 'go on'
//   POST /event         makes an event under the request's key; header X-Die: then the process ends as by a power cut

const fs = require('node:fs')
const express = require('express')
const { CalendarService } = require('../../index.js')

const { config, runs } = JSON.parse(process.argv[2])
const service = new CalendarService(config)
const app = express()

const told = new Promise((resolve) => {
  process.on('message', (message) => message === 'go on' && resolve())
})

const runOf = (req) => fs.appendFileSync(runs, `${req.get('Idempotency-Key')} ${process.pid}\n`)

app.use(express.json(), (req, _res, next) => {
  req.userId = 'ada'
  next()
})
app.use(service.idempotency())

app.post('/work', (req, res) => {
  runOf(req)
  setTimeout(() => res.status(201).json({ by: process.pid, key: req.get('Idempotency-Key') }), Number(req.query.ms))
})

app.post('/hang', async (req, res) => {
  runOf(req)
  await told
  res.status(201).json({ by: process.pid })
})

app.post('/event', async (req, res) => {
  runOf(req)
  const { token, lesson } = req.body
  const { eventId, replayed } = await service.createEvent('ada', token, lesson, { idempotencyKey: req.idempotencyKey })
  if (req.get('X-Die')) process.kill(process.pid, 'SIGKILL')
  res.status(201).json({ eventId, replayed })
})

app.use(service.errorHandler())

const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
process.on('disconnect', () => process.exit())
