'use strict'

const { seeded } = require('./seeded')

/** Half hours, a zone behind and zones ahead of UTC: what the server echoes is never the text that was sent. */
const ZONES = ['America/New_York', 'Europe/Berlin', 'Asia/Kolkata', 'Australia/Sydney', 'America/St_Johns', 'UTC']
const SUBJECTS = ['Algebra', 'Biology', 'Chemistry', 'Drawing', 'English', 'French', 'Geometry', 'History']
const FIRST_LESSON = Date.UTC(2027, 2, 1, 8)
const HOUR_MS = 3_600_000
/** All classes are begun within this time. */
const RUSH_MS = 4_000

/**
 * The classes to be created: each by a teacher of its own, in the teacher's calendar, by a double click.
 *
 * @param {number} seed
 * @param {number} count
 */
function school(seed, count) {
  return Array.from({ length: count }, (_, index) => {
    const chance = seeded(seed, `class ${index}`)
    const number = String(index + 1).padStart(2, '0')
    const start = FIRST_LESSON + chance.between(0, 24 * 90) * HOUR_MS
    return {
      teacher: `teacher-${number}@school.test`,
      timeZone: ZONES[index % ZONES.length],
      /** Made once in the browser, when the form is opened; both clicks carry it. */
      idempotencyKey: `class-${number}-${chance.between(1e8, 9e8)}`,
      form: {
        title: `${chance.pick(SUBJECTS)} ${number}`,
        start: new Date(start).toISOString(),
        end: new Date(start + HOUR_MS).toISOString(),
        timeZone: ZONES[index % ZONES.length],
        students: [`student-${number}-a@school.test`, `student-${number}-b@school.test`],
      },
      beginsAfterMs: chance.between(0, RUSH_MS),
      secondClickAfterMs: chance.between(10, 150),
    }
  })
}

module.exports = { school, ZONES, FIRST_LESSON, HOUR_MS }
