'use strict'

const { lesson } = require('./lessons')

/** A service, a user, and lessons of theirs for people to enroll on. */
async function classScene(stage, { lessons = 3, ...config } = {}) {
  const user = await stage.user()
  const records = []
  const logged = []
  const log = (level) => (message, more) => logged.push({ level, message, more })
  const logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
  const service = stage.service({ logger, onOperation: (record) => records.push(record), ...config })
  const mine = { userId: user.email, auth: user.accessToken }
  const ids = []
  for (let day = 1; day <= lessons; day++) {
    const event = lesson({
      start: { dateTime: `2027-07-0${day}T10:00:00Z` },
      end: { dateTime: `2027-07-0${day}T11:00:00Z` },
    })
    const { eventId } = await service.createEvent(user.email, user.accessToken, event)
    ids.push(eventId)
  }
  records.length = 0
  /** On how many lessons an address is. */
  const places = async (email) => {
    const live = await stage.live(user)
    return live.filter(({ attendees = [] }) => attendees.some((one) => one.email === email)).length
  }
  /** From now on nobody can be put on (or taken off) this lesson. */
  const refuse = (eventId) =>
    stage.faultFor(user, {
      operation: 'events.patch',
      match: { eventId },
      fault: { kind: 'status', status: 403, reason: 'forbidden' },
    })
  return { user, service, records, logged, mine, ids, places, refuse }
}

/** The same, where whoever takes too long is left out, and one of the lessons takes longer. */
async function slowScene(stage) {
  const scene = await classScene(stage, { attendees: { timeoutMs: 400, onTimeout: 'skip' }, attemptTimeoutMs: 400 })
  const slow = scene.ids[1]
  await stage.faultFor(scene.user, {
    operation: 'events.patch',
    match: { eventId: slow },
    nth: 1,
    fault: { kind: 'hang', when: 'before' },
  })
  return { ...scene, slow }
}

module.exports = { classScene, slowScene }
