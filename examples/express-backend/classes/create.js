'use strict'

const { randomUUID } = require('node:crypto')
const { eventOf, lessonsOf, placed, timeFor } = require('../calendar/lessons')

/**
 * Makes a class: one event for each lesson, then its row. All of it, or nothing.
 *
 * Whatever the cache of answers remembers, one key makes one class: the transaction asks the calendar, and the unique index
 * the database.
 *
 * @param {object} backend `calendar`, `repository`
 * @param {object} asked
 * @param {import('../repository/open').Person} asked.organizer
 * @param {unknown} asked.auth
 * @param {string} asked.idempotencyKey
 * @param {{title: string, timeZone: string, schedules: object[]}} asked.form
 * @returns {Promise<import('../repository/open').Class>}
 */
async function createClass({ calendar, repository }, { organizer, auth, idempotencyKey, form }) {
  const known = await repository.classByKey(organizer.id, idempotencyKey)
  if (known) return known

  const { title, timeZone } = form
  const lessons = lessonsOf(form.schedules)
  const id = randomUUID()
  const row = { id, organizerId: organizer.id, key: idempotencyKey, title, timeZone, version: 1 }

  const work = async (tx) => {
    const made = await Promise.all(
      lessons.map((lesson) => tx.createEvent(eventOf({ title, timeZone, lessons }, lesson))),
    )
    const whole = {
      ...row,
      createdAt: new Date().toISOString(),
      lessons: lessons.map((lesson, index) => placed(lesson, made[index].event)),
    }
    await tx.step('removeClass', { classId: id }, () => repository.addClass(whole))
  }
  const options = {
    userId: organizer.id,
    auth,
    idempotencyKey,
    timeoutMs: timeFor(lessons),
    context: { what: 'create class' },
  }
  await calendar.transaction(work, options).catch((error) => {
    // Another process was first. What this one made is undone, and the class is there.
    if (error.cause?.name !== 'Taken') throw error
  })
  return repository.classByKey(organizer.id, idempotencyKey)
}

module.exports = { createClass }
