'use strict'

const { timeFor } = require('../calendar/lessons')

/**
 * Takes a student off all lessons of a class, then removes the row and the reminders. All of it, or nothing: a student who
 * could not be taken off one lesson is put back on the others and stays enrolled.
 *
 * @param {object} backend `calendar`, `repository`
 * @param {object} asked
 * @param {import('../repository/open').Class} asked.current
 * @param {import('../repository/open').Person} asked.student
 * @param {unknown} asked.auth the organizer's
 * @param {string} asked.idempotencyKey
 * @returns {Promise<void>}
 */
async function leave({ calendar, repository }, { current, student, auth, idempotencyKey }) {
  const { id: classId, organizerId } = current
  const enrollment = await repository.enrollment(classId, student.id)
  if (!enrollment) return
  const reminders = (await repository.remindersOf(student.id)).filter((one) => one.enrollmentId === enrollment.id)

  const context = { what: 'leave class' }

  const work = async (tx) => {
    await Promise.all(
      current.lessons.map(({ eventId, number }) =>
        tx.step('returnToLesson', { classId, number, studentId: student.id }, () =>
          calendar.removeAttendeeFromEvent(eventId, student.email, { userId: organizerId, auth, context }),
        ),
      ),
    )
    await tx.step('restoreEnrollment', { enrollment, reminders }, async () => {
      await repository.removeReminders(enrollment.id)
      await repository.removeEnrollment(enrollment.id)
    })
  }
  const options = { userId: organizerId, auth, idempotencyKey, timeoutMs: timeFor(current.lessons), context }
  await calendar.transaction(work, options)
}

module.exports = { leave }
