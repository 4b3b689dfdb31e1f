'use strict'

const { eventOf, placed, timeFor } = require('../calendar/lessons')
const { Refusal } = require('../routes/refusal')
const { dueAt } = require('../notifications/reminders')

/**
 * Gives a class another title or its lessons other times: the events, then the row and the reminders. All of it, or nothing.
 *
 * @param {object} backend `calendar`, `repository`
 * @param {object} asked
 * @param {import('../repository/open').Class} asked.current as the database has it
 * @param {number} asked.version which the person has seen
 * @param {unknown} asked.auth
 * @param {string} asked.idempotencyKey
 * @param {{title: string, lessons: {start: string, end: string}[]}} asked.form all lessons, in their order
 * @returns {Promise<import('../repository/open').Class>}
 * @throws Refusal if somebody has changed the class meanwhile
 */
async function updateClass({ calendar, repository }, { current, version, auth, idempotencyKey, form }) {
  if (current.version !== version) throw changedMeanwhile()
  const { id, organizerId, timeZone } = current
  const lessons = current.lessons.map((lesson, number) => ({ ...lesson, ...form.lessons[number] }))
  const wanted = { title: form.title, timeZone, lessons }
  const changed = lessons.filter((lesson, number) => {
    const was = current.lessons[number]
    return form.title !== current.title || lesson.start !== was.start || lesson.end !== was.end
  })
  if (changed.length === 0) return current

  const context = { what: 'change class' }

  const moveEvent = async (lesson) => {
    const told = await calendar.updateEvent(organizerId, auth, lesson.eventId, eventOf(wanted, lesson), { context })
    if (!told.success) throw new Refusal(502, told.errorCode, told.error)
    lessons[lesson.number] = placed(lesson, told.event)
  }
  const moveRow = async () => {
    if (!(await repository.updateClass(id, version, wanted))) throw changedMeanwhile()
    for (const lesson of lessons) await repository.moveReminders(id, lesson.number, dueAt(lesson))
  }
  const work = async (tx) => {
    await Promise.all(
      changed.map((lesson) =>
        tx.step('realignLesson', { classId: id, number: lesson.number }, () => moveEvent(lesson)),
      ),
    )
    const { title, lessons: before } = current
    await tx.step('restoreClass', { classId: id, version, title, lessons: before }, moveRow)
  }
  const options = { userId: organizerId, auth, idempotencyKey, timeoutMs: timeFor(lessons), context }
  await calendar.transaction(work, options).catch((error) => {
    throw error.cause instanceof Refusal ? error.cause : error
  })
  return repository.classById(id)
}

const changedMeanwhile = () =>
  new Refusal(409, 'CHANGED_MEANWHILE', 'This class was changed meanwhile. Nothing was saved: look at it again first.')

module.exports = { updateClass }
