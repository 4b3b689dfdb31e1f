'use strict'

const express = require('express')
const { signedIn } = require('../session/session')
const { Refusal } = require('./refusal')

/**
 * Trouble on demand, while an emulator stands in for Google: to see what the backend does about it.
 *
 * @param {object} backend `repository`, `google`
 */
function rehearsalRoutes({ repository, google }) {
  const { emulator } = google.rehearsal
  const router = express.Router()

  const troubles = {
    /** The next event is made, and the answer is lost. */
    lostAnswer: ({ email }) =>
      emulator.fault({
        operation: 'events.insert',
        nth: 1,
        match: { user: email },
        fault: { kind: 'reset', when: 'after' },
      }),

    /** The last lesson of the newest class takes no students. */
    async refusingLesson({ id, email }) {
      const newest = (await repository.classes()).find(({ organizerId }) => organizerId === id)
      if (!newest) throw new Refusal(409, 'NO_CLASS', 'Make a class first.')
      const eventId = newest.lessons.at(-1).eventId
      const fault = { kind: 'status', status: 403, reason: 'forbidden' }
      await emulator.fault({ operation: 'events.patch', match: { user: email, eventId }, fault })
    },

    revokedGrant: ({ email }) => emulator.revokeTokens({ email }),
    expiredToken: ({ email }) => emulator.expireTokens({ email }),
    none: () => emulator.clearFaults(),
  }

  router.put('/rehearsal', signedIn('instructor'), async (req, res) => {
    const { trouble } = req.body ?? {}
    if (!Object.hasOwn(troubles, trouble)) throw new Refusal(400, 'WRONG_INPUT', 'There is no such trouble.')
    await troubles[trouble](req.user)
    res.status(204).end()
  })
  return router
}

module.exports = { rehearsalRoutes }
