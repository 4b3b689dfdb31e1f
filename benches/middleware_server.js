'use strict'

// One contestant: an Express app in a process of its own. Argument: what stands before the handler, as JSON.

const express = require('express')
const { CalendarService } = require('..')

const { store } = JSON.parse(process.argv[2])
const app = express()
app.use(express.json())
app.use((req, _res, next) => {
  req.userId = 'teacher'
  next()
})
if (store !== null) app.use(new CalendarService({ store }).idempotency())
app.post('/classes', (req, res) => res.status(201).json({ id: 'lesson', title: req.body.title }))
const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
process.on('disconnect', () => process.exit(0))
