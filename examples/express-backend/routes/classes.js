'use strict'

const express = require('express')
const { signedIn } = require('../session/session')
const { createClass } = require('../classes/create')
const { enroll } = require('../classes/enroll')
const { changedClassForm, newClassForm } = require('../classes/form')
const { leave } = require('../classes/leave')
const { updateClass } = require('../classes/update')
const { Refusal } = require('./refusal')

/**
 * Classes, and who is in them. Every write has a key, which the page makes when the intent begins; runs once for it; and does
 * not begin without a fresh token of the person whose calendar it is.
 *
 * @param {object} backend `calendar`, `repository`, `reminders`
 */
function classRoutes(backend) {
  const { calendar, repository } = backend
  const router = express.Router()

  const once = calendar.idempotency({ required: true, scope: (req) => req.user.id })
  const ownGrant = calendar.requireGoogleAuth({ user: (req) => req.user.id })
  const organizersGrant = calendar.requireGoogleAuth({ user: (req) => req.class.organizerId })

  const findClass = async (req, _res, next) => {
    req.class = await repository.classById(req.params.id)
    if (!req.class) throw new Refusal(404, 'NO_CLASS', 'There is no such class any more.')
    next()
  }
  const isOwn = (req, _res, next) => {
    if (req.class.organizerId !== req.user.id) throw new Refusal(403, 'NOT_YOURS', 'This is somebody else’s class.')
    next()
  }
  const askedOf = (req) => ({ current: req.class, auth: req.googleOAuth2Client, idempotencyKey: req.idempotencyKey })

  router.get('/classes', signedIn(), async (req, res) => {
    const [classes, enrollments, people] = await Promise.all([
      repository.classes(),
      repository.enrollments(),
      repository.people(),
    ])
    res.json(classes.map((one) => shown(one, { viewer: req.user, enrollments, people })))
  })

  router.post('/classes', signedIn('instructor'), once, ownGrant, async (req, res) => {
    const { auth, idempotencyKey } = askedOf(req)
    const form = newClassForm(req.body)
    const made = await createClass(backend, { organizer: req.user, auth, idempotencyKey, form })
    if (!made) throw new Refusal(410, 'GONE', 'This class was made, and is gone again.')
    res.status(201).json({ status: 'success', id: made.id, lessons: made.lessons.length })
  })

  router.put('/classes/:id', signedIn('instructor'), findClass, isOwn, once, ownGrant, async (req, res) => {
    const { version, ...form } = changedClassForm(req.body, req.class.lessons.length)
    const updated = await updateClass(backend, { ...askedOf(req), version, form })
    res.json({ status: 'success', id: updated.id, version: updated.version })
  })

  router.put('/classes/:id/enrollment', signedIn('student'), findClass, once, organizersGrant, async (req, res) => {
    const enrollment = await enroll(backend, { ...askedOf(req), student: req.user })
    res.json({ status: 'success', id: enrollment.id, lessons: req.class.lessons.length })
  })

  router.delete('/classes/:id/enrollment', signedIn('student'), findClass, once, organizersGrant, async (req, res) => {
    await leave(backend, { ...askedOf(req), student: req.user })
    res.json({ status: 'success' })
  })

  return router
}

/** A class as the viewer may see it: students see that they are in it, and not who else is. */
function shown({ id, title, timeZone, version, organizerId, lessons }, { viewer, enrollments, people }) {
  const nameOf = (personId) => people.find((person) => person.id === personId)?.name
  const mine = organizerId === viewer.id
  const students = enrollments.filter(({ classId }) => classId === id).map(({ studentId }) => studentId)
  return {
    id,
    title,
    timeZone,
    version,
    mine,
    organizer: nameOf(organizerId),
    lessons: lessons.map(({ number, start, end }) => ({ number, start, end })),
    places: students.length,
    enrolled: students.includes(viewer.id),
    ...(mine ? { students: students.map(nameOf) } : {}),
  }
}

module.exports = { classRoutes }
