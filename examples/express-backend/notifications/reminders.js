'use strict'

const BEFORE_MS = 60 * 60 * 1000
const EVERY_MS = 15_000

/** An hour before a lesson. */
const dueAt = ({ startsAt }) => new Date(Date.parse(startsAt) - BEFORE_MS).toISOString()

/**
 * Reminders before lessons: made with an enrollment, removed with it, and sent when they are due. However many processes
 * look, each is sent once.
 *
 * @param {import('../repository/open').Repository} repository
 * @param {(reminder: object) => Promise<void>} [send] a mail, say. By default the student's page shows it, and no more
 */
function reminderService(repository, send = async () => {}) {
  let timer

  const reminders = {
    schedule: ({ id, classId, studentId }, lessons) =>
      repository.addReminders(
        lessons.map((lesson) => ({
          id: `${id}:${lesson.number}`,
          enrollmentId: id,
          classId,
          studentId,
          lesson: lesson.number,
          dueAt: dueAt(lesson),
          sentAt: null,
        })),
      ),

    /** Sends what is due at `now`; the number of reminders sent. */
    async sendDue(now = new Date()) {
      for (let sent = 0; ; sent += 1) {
        const reminder = await repository.claimDueReminder(now.toISOString())
        if (!reminder) return sent
        await send(reminder)
      }
    },

    start(onError) {
      timer = setInterval(() => reminders.sendDue().catch(onError), EVERY_MS)
      timer.unref()
    },
    stop() {
      clearInterval(timer)
    },
  }
  return reminders
}

module.exports = { reminderService, dueAt }
