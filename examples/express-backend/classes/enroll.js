'use strict'

const { randomUUID } = require('node:crypto')
const { timeFor } = require('../calendar/lessons')

/**
 * Puts a student on all lessons of a class, then makes the row and the reminders. All of it, or nothing.
 *
 * The row comes last: nobody sees an enrollment that may still be taken back.
 *
 * @param {object} backend `calendar`, `repository`, `reminders`
 * @param {object} asked
 * @param {import('../repository/open').Class} asked.current
 * @param {import('../repository/open').Person} asked.student
 * @param {unknown} asked.auth the organizer's
 * @param {string} asked.idempotencyKey
 * @returns {Promise<import('../repository/open').Enrollment>}
 */
async function enroll({ calendar, repository, reminders }, { current, student, auth, idempotencyKey }) {
  const known = await repository.enrollment(current.id, student.id)
  if (known) return known
  const enrollment = {
    id: randomUUID(),
    classId: current.id,
    studentId: student.id,
    createdAt: new Date().toISOString(),
  }
  const enrollmentId = enrollment.id

  const work = async (tx) => {
    await Promise.all(current.lessons.map(({ eventId }) => tx.addAttendee({ eventId, attendee: student.email })))
    await tx.step('cancelReminders', { enrollmentId }, () => reminders.schedule(enrollment, current.lessons))
    await tx.step('dropEnrollment', { enrollmentId }, () => repository.addEnrollment(enrollment))
  }
  const options = {
    userId: current.organizerId,
    auth,
    idempotencyKey,
    timeoutMs: timeFor(current.lessons),
    context: { what: 'enroll' },
  }
  await calendar.transaction(work, options).catch((error) => {
    // Two pages of one student: the other one was first, and the places are its.
    if (error.cause?.name !== 'Taken') throw error
  })
  return repository.enrollment(current.id, student.id)
}

module.exports = { enroll }
