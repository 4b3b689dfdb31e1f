'use strict'

const { isRight } = require('../demo/audit')

/**
 * What is true of one operation, from what Google's server and the backend's database hold.
 *
 * @typedef {object} Finding
 * @property {object} step
 * @property {object} outcome what its customer was told
 * @property {boolean} there all of it is there, as asked
 * @property {number} copies live events made for it (creates)
 * @property {boolean} silent told "success" of what is not there as told
 * @property {boolean} phantom enrolled in the database, and not invited on some event
 * @property {boolean} leftOver not told "success" to the last, and something of it is there
 * @property {boolean} verified told "verified"
 */

const succeeded = ({ answers }) => answers.filter(({ status }) => status === 200 || status === 201)

function findingOfCreate(step, outcome, copies) {
  const right = copies.filter((event) => isRight(event, step.body))
  const rightIds = new Set(right.map(({ id }) => id))
  const told = succeeded(outcome)
  const isTrue = ({ body: { eventId } }) => (eventId === undefined ? right.length > 0 : rightIds.has(eventId))
  return {
    step,
    outcome,
    there: right.length > 0,
    copies: copies.length,
    silent: told.some((answer) => !isTrue(answer)),
    phantom: false,
    leftOver: told.length === 0 && copies.length > 0,
    verified: told.some(({ body }) => body.verified === true),
  }
}

function findingOfEnrollment(step, outcome, { isEnrolled, invitedOn, events }) {
  const there = isEnrolled && invitedOn === events
  const told = succeeded(outcome)
  return {
    step,
    outcome,
    there,
    copies: 1,
    silent: told.length > 0 && !there,
    phantom: isEnrolled && invitedOn < events,
    leftOver: told.length === 0 && !isEnrolled && invitedOn > 0,
    verified: told.some(({ body }) => body.verified === true),
  }
}

/**
 * @param {import('../lib/testing').Emulator} google
 * @param {import('./database').Database} database
 * @param {ReturnType<import('./workload').workload>} work
 * @param {object[]} outcomes in the order of the steps
 * @returns {Promise<Finding[]>}
 */
async function audit(google, database, { people, classes, steps }, outcomes) {
  const byDescription = new Map()
  const byId = new Map()
  const calendars = new Set(people.map(({ email, calendarId }) => (calendarId === 'primary' ? email : calendarId)))
  for (const calendar of calendars) {
    for (const event of await google.events(calendar, { live: true })) {
      byId.set(event.id, event)
      const copies = byDescription.get(event.description) ?? []
      byDescription.set(event.description, [...copies, event])
    }
  }
  const guests = new Map(
    classes.map(({ classId, events }) => [
      classId,
      events.map(({ id }) => new Set((byId.get(id)?.attendees ?? []).map(({ email }) => email))),
    ]),
  )
  const rows = database.enrollments()
  return steps.map((step, index) => {
    if (step.kind === 'create') return findingOfCreate(step, outcomes[index], byDescription.get(step.name) ?? [])
    const lists = guests.get(step.classId)
    return findingOfEnrollment(step, outcomes[index], {
      isEnrolled: rows.has(`${step.classId} ${step.student}`),
      invitedOn: lists.filter((list) => list.has(step.student)).length,
      events: lists.length,
    })
  })
}

module.exports = { audit, findingOfCreate, findingOfEnrollment }
