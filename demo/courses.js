'use strict'

const { seeded } = require('./seeded')

const CLASSES_FOR_A_COURSE = 3
const LESSONS = 3
const STUDENTS = 6
const FIRST_LESSON = Date.UTC(2027, 8, 6, 8)
const HOUR_MS = 3_600_000
const WEEK_MS = 7 * 24 * HOUR_MS
/** Courses open within this time, and when one does, all its students click. */
const RUSH_MS = 4_000
const OPENING_MS = 300

/**
 * Courses that are in their teachers' calendars already, and the students who want to be on all lessons of one.
 *
 * @param {number} seed
 * @param {number} classes how many classes are created beside them
 */
function courses(seed, classes) {
  return Array.from({ length: Math.ceil(classes / CLASSES_FOR_A_COURSE) }, (_, index) => {
    const chance = seeded(seed, `course ${index}`)
    const number = String(index + 1).padStart(2, '0')
    const opensAfterMs = chance.between(0, RUSH_MS)
    return {
      teacher: `course-${number}@school.test`,
      lessons: Array.from({ length: LESSONS }, (_lesson, week) => ({
        id: `course${number}lesson${week + 1}`,
        summary: `Course ${number}, lesson ${week + 1}`,
        start: { dateTime: new Date(FIRST_LESSON + week * WEEK_MS).toISOString() },
        end: { dateTime: new Date(FIRST_LESSON + week * WEEK_MS + HOUR_MS).toISOString() },
      })),
      students: Array.from({ length: STUDENTS }, (_student, place) => ({
        email: `student-${number}-${place + 1}@school.test`,
        idempotencyKey: `enroll-${number}-${place + 1}-${chance.between(1e8, 9e8)}`,
        clicksAfterMs: opensAfterMs + chance.between(0, OPENING_MS),
      })),
    }
  })
}

module.exports = { courses, LESSONS }
