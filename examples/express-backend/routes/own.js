'use strict'

const express = require('express')
const { signedIn } = require('../session/session')

const LATEST = 12

/**
 * What concerns the person who looks: who they are, their reminders, what was done to their calendar.
 *
 * @param {object} backend `repository`
 */
function ownRoutes({ repository }) {
  const router = express.Router()

  router.get('/me', (req, res) => {
    const { id, name, role, timeZone } = req.user ?? {}
    res.json(req.user ? { id, name, role, timeZone } : null)
  })
  router.get('/me/reminders', signedIn('student'), async (req, res) => {
    const [reminders, classes] = await Promise.all([repository.remindersOf(req.user.id), repository.classes()])
    const titles = new Map(classes.map(({ id, title }) => [id, title]))
    res.json(
      reminders.map(({ classId, lesson, dueAt, sentAt }) => ({ title: titles.get(classId), lesson, dueAt, sentAt })),
    )
  })
  router.get('/me/log', signedIn('instructor'), async (req, res) => {
    res.json(await repository.logOf(req.user.id, LATEST))
  })
  return router
}

module.exports = { ownRoutes }
