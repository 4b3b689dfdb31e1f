'use strict'

const { dueAt } = require('../notifications/reminders')
const { eventOf } = require('./lessons')

/**
 * How the steps of this backend's transactions are taken back, by their names: also after a crash, by another process, and
 * perhaps more than once. So each of them says what should be, and does no harm where that is so already.
 *
 * @param {{repository: import('../repository/open').Repository, calendar: () => object}} given
 */
function undoHandlers({ repository, calendar }) {
  return {
    removeClass: ({ classId }) => repository.removeClass(classId),

    async restoreClass({ classId, version, title, lessons }) {
      await repository.updateClass(classId, version + 1, { title, lessons })
      for (const lesson of lessons) await repository.moveReminders(classId, lesson.number, dueAt(lesson))
    },

    /** The row is changed last, and so it still says what the event was. */
    async realignLesson({ classId, number }) {
      const one = await repository.classById(classId)
      const lesson = one.lessons[number]
      const { success, error } = await calendar().updateEvent(
        one.organizerId,
        null,
        lesson.eventId,
        eventOf(one, lesson),
        { sendUpdates: 'none' },
      )
      if (!success) throw new Error(error)
    },

    dropEnrollment: ({ enrollmentId }) => repository.removeEnrollment(enrollmentId),

    cancelReminders: ({ enrollmentId }) => repository.removeReminders(enrollmentId),

    async returnToLesson({ classId, number, studentId }) {
      const one = await repository.classById(classId)
      const { email } = await repository.person(studentId)
      await calendar().addAttendeeToEvent(one.lessons[number].eventId, email, {
        userId: one.organizerId,
        sendUpdates: 'none',
      })
    },

    restoreEnrollment: async ({ enrollment, reminders }) => {
      await repository.addEnrollment(enrollment).catch(unlessTaken)
      await repository.addReminders(reminders)
    },
  }
}

function unlessTaken(error) {
  if (error.name !== 'Taken') throw error
}

module.exports = { undoHandlers }
