'use strict'

const path = require('node:path')
const express = require('express')
const { classRoutes } = require('./routes/classes')
const { googleRoutes } = require('./routes/google')
const { ownRoutes } = require('./routes/own')
const { rehearsalRoutes } = require('./routes/rehearsal')
const { answerErrors } = require('./routes/refusal')
const { session } = require('./session/session')

const PUBLIC = path.join(__dirname, 'public')
const BROWSER_KEYS = path.join(path.dirname(require.resolve('surecal/package.json')), 'browser')

const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
    "base-uri 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
}

/**
 * The Express app.
 *
 * @param {object} backend `calendar`, `repository`, `reminders`, `cookies`, `google`, `logger`
 */
function lessonsApp(backend) {
  const { calendar, google, logger } = backend
  const { router, whoAsks } = session(backend)
  const connecting = googleRoutes(backend)
  const app = express().disable('x-powered-by')

  app.get('/metrics', (_req, res) => res.type('text/plain; version=0.0.4').send(calendar.prometheus()))
  app.get('/ready', async (_req, res) => {
    const health = await calendar.health()
    res.status(health.ready ? 200 : 503).json(health)
  })
  app.use('/dashboard', whoAsks, calendar.dashboard({ authorize: (req) => req.user?.role === 'instructor' }))

  app.use((_req, res, next) => {
    res.set(HEADERS)
    next()
  })
  app.use('/surecal', express.static(BROWSER_KEYS))
  app.use(express.static(PUBLIC))
  if (google.consentScreen) app.use(google.consentScreen())

  app.use(whoAsks)
  app.use(connecting.pages)
  app.use('/api', express.json({ limit: '100kb' }), router, ownRoutes(backend), connecting.api, classRoutes(backend))
  if (google.rehearsal) app.use('/api', rehearsalRoutes(backend))
  app.use('/api', (_req, res) =>
    res.status(404).json({ status: 'error', code: 'NOT_FOUND', message: 'Nothing is here.' }),
  )

  app.use(calendar.errorHandler(), answerErrors(logger))
  return app
}

module.exports = { lessonsApp }
