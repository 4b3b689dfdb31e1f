'use strict'

const { randomBytes } = require('node:crypto')
const express = require('express')
const { signedIn } = require('../session/session')

const COOKIE = 'google_state'
const TEN_MINUTES_MS = 600_000

/**
 * Connecting a Google account (OAuth 2, authorization code), and what is in the calendar.
 *
 * @param {object} backend `calendar`, `repository`, `cookies`, `google`
 */
function googleRoutes({ calendar, repository, cookies, google }) {
  const pages = express.Router()
  const api = express.Router()

  pages.get('/google/connect', signedIn('instructor'), (req, res) => {
    const state = randomBytes(16).toString('hex')
    cookies.set(res, COOKIE, `${state}:${req.user.id}`, { maxAgeMs: TEN_MINUTES_MS })
    res.redirect(google.consentUrl({ state, email: req.user.email }))
  })

  pages.get('/google/callback', signedIn('instructor'), async (req, res) => {
    const expected = cookies.get(req, COOKIE)
    cookies.clear(res, COOKIE)
    // Else another site could connect its own calendar to this person.
    const isOurs = expected !== null && expected === `${req.query.state}:${req.user.id}`
    if (!isOurs || typeof req.query.code !== 'string') return res.redirect('/?google=refused')
    await repository.saveTokens(req.user.id, await google.exchange(req.query.code))
    res.redirect('/?google=connected')
  })

  api.get('/google', signedIn('instructor'), async (req, res) => {
    const client = await calendar.getRefreshedOAuthClient(req.user.id, { requireFresh: true })
    res.json({ connected: client !== null, rehearsal: google.rehearsal !== undefined })
  })

  api.get(
    '/google/events',
    signedIn('instructor'),
    calendar.requireGoogleAuth({ user: (req) => req.user.id }),
    async (req, res) => {
      const events = []
      const query = { singleEvents: true, orderBy: 'startTime', timeMin: new Date() }
      for await (const event of calendar.listEvents(req.user.id, req.googleOAuth2Client, query)) {
        events.push({ summary: event.summary, start: event.start?.dateTime, guests: event.attendees?.length ?? 0 })
      }
      res.json(events)
    },
  )

  return { pages, api }
}

module.exports = { googleRoutes }
