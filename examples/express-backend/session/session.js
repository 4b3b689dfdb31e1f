'use strict'

const express = require('express')
const { Refusal } = require('../routes/refusal')

const COOKIE = 'person'

/**
 * Who is asking. There is no password: whoever opens the page chooses a person. Put your own sign-in in its place.
 *
 * @param {object} backend `repository`, `cookies`
 */
function session({ repository, cookies }) {
  const router = express.Router()

  router.get('/people', async (_req, res) => {
    const people = await repository.people()
    res.json(people.map(({ id, name, role }) => ({ id, name, role })))
  })
  router.put('/session', async (req, res) => {
    const person = await repository.person(String(req.body?.personId))
    if (!person) throw new Refusal(404, 'NOBODY', 'There is no such person.')
    cookies.set(res, COOKIE, person.id)
    res.status(204).end()
  })
  router.delete('/session', (_req, res) => {
    cookies.clear(res, COOKIE)
    res.status(204).end()
  })

  /** Middleware: `req.user`, or null. */
  const whoAsks = async (req, _res, next) => {
    const id = cookies.get(req, COOKIE)
    req.user = id && (await repository.person(id))
    next()
  }
  return { router, whoAsks }
}

/** Middleware: only people who are signed in, and with a role only those. */
const signedIn = (role) => (req, _res, next) => {
  if (!req.user) throw new Refusal(401, 'SIGN_IN', 'Sign in first.')
  if (role && req.user.role !== role)
    throw new Refusal(403, 'NOT_YOURS', `Only an ${role} may do this.`.replace('an s', 'a s'))
  next()
}

module.exports = { session, signedIn }
