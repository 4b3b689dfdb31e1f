'use strict'

const { ZONES, FIRST_LESSON, HOUR_MS } = require('../demo/school')
const { seeded } = require('../demo/seeded')

/** Of a hundred operations: classes created, students enrolled, and what Google refuses whoever asks. */
const ENROLLMENTS_OF_100 = 30
const REFUSED_OF_100 = 2
/** Students who enroll in one class at one time, and the events of such a class. */
const STUDENTS_OF_A_CLASS = 25
const EVENTS_OF_A_CLASS = 3
/** One student in three clicks twice; whoever creates a class always does. */
const DOUBLE_ENROLLMENTS = 1 / 3
/** Classes created by one teacher. */
const CREATES_OF_A_TEACHER = 60
/** Of how many operations one is the mark at which some teacher's access token ends, as the database can foresee. */
const EXPIRY_EVERY = 25
/** And of how many one at which Google ends a token before its time, as after a change of password. */
const EARLY_END_EVERY = 2_500

/** Why Google refuses for good: a grant that its user took back, a calendar that may only be read, one that is not there. */
const REFUSALS = ['revoked', 'readOnly', 'missing']

const teacherNamed = (index) => `teacher-${String(index + 1).padStart(3, '0')}@school.test`

/** Teachers, each with a calendar of their own in some zone. Their tokens are in every state that one finds in a database. */
function teachersFor(seed, count) {
  return Array.from({ length: count }, (_, index) => {
    const chance = seeded(seed, `teacher ${index}`)
    return {
      email: teacherNamed(index),
      timeZone: ZONES[index % ZONES.length],
      calendarId: 'primary',
      refusal: null,
      /** Life left of the access token at the start: over, nearly over (less than ten minutes), or most of an hour. */
      expiresInSeconds: chance.pick([-60, 90, 500, 3_000]),
    }
  })
}

function refusedTeachers(teachers) {
  return REFUSALS.map((refusal, index) => ({
    ...teachers[index],
    email: `${refusal.toLowerCase()}@school.test`,
    calendarId: { revoked: 'primary', readOnly: 'head-of-school@school.test', missing: 'no-such-calendar@school.test' }[
      refusal
    ],
    refusal,
    expiresInSeconds: 3_000,
  }))
}

function createOf(seed, number, teacher) {
  const chance = seeded(seed, `create ${number}`)
  const start = FIRST_LESSON + chance.between(0, 24 * 90) * HOUR_MS
  return {
    kind: 'create',
    name: `create-${number}`,
    teacher: teacher.email,
    calendarId: teacher.calendarId === 'primary' ? teacher.email : teacher.calendarId,
    refusal: teacher.refusal,
    key: `create-${number}-${chance.between(1e8, 9e8)}`,
    secondClickAfterMs: chance.between(10, 150),
    body: {
      title: `Class ${number}`,
      /** What no fault touches: by it the audit knows whose an event is. */
      description: `create-${number}`,
      start: new Date(start).toISOString(),
      end: new Date(start + HOUR_MS).toISOString(),
      timeZone: teacher.timeZone,
      students: [`guest-${number}-a@school.test`, `guest-${number}-b@school.test`],
    },
  }
}

function enrollmentsOf(seed, classNumber, teacher, students) {
  return Array.from({ length: students }, (_, index) => {
    const chance = seeded(seed, `enrollment ${classNumber} ${index}`)
    const student = `student-${classNumber}-${index + 1}@school.test`
    return {
      kind: 'enroll',
      name: `enroll-${classNumber}-${index + 1}`,
      teacher: teacher.email,
      classId: `class-${classNumber}`,
      refusal: null,
      student,
      key: `enroll-${classNumber}-${index + 1}-${chance.between(1e8, 9e8)}`,
      secondClickAfterMs: chance.happens(DOUBLE_ENROLLMENTS) ? chance.between(10, 150) : null,
      body: { classId: `class-${classNumber}`, student },
    }
  })
}

/** The classes that students enroll in: there already, with events of their own. */
function schoolClass(seed, number, teacher) {
  const chance = seeded(seed, `class ${number}`)
  return {
    classId: `class-${number}`,
    teacher: teacher.email,
    events: Array.from({ length: EVENTS_OF_A_CLASS }, (_, index) => {
      const start = FIRST_LESSON + (chance.between(0, 24 * 30) + index * 24 * 7) * HOUR_MS
      return {
        id: `class${number}event${index + 1}`.replaceAll(/[^0-9a-v]/g, ''),
        summary: `Class ${number}, lesson ${index + 1}`,
        start: { dateTime: new Date(start).toISOString() },
        end: { dateTime: new Date(start + HOUR_MS).toISOString() },
      }
    }),
  }
}

/**
 * Everything that happens in a run, from the seed alone.
 *
 * @param {{seed: number, operations: number, kills: number}} options
 */
function workload({ seed, operations, kills }) {
  const chance = seeded(seed, 'workload')
  const refused = Math.max(REFUSALS.length, Math.round((operations * REFUSED_OF_100) / 100))
  const enrolled = Math.round((operations * ENROLLMENTS_OF_100) / 100)
  const created = operations - refused - enrolled
  const teachers = teachersFor(seed, Math.max(ZONES.length, Math.ceil(created / CREATES_OF_A_TEACHER)))
  const unlucky = refusedTeachers(teachers)

  const creates = Array.from({ length: created }, (_, index) => [
    createOf(seed, index + 1, teachers[index % teachers.length]),
  ])
  const refusals = Array.from({ length: refused }, (_, index) => [
    createOf(seed, created + index + 1, unlucky[index % unlucky.length]),
  ])
  const classes = []
  const crowds = []
  for (let left = enrolled; left > 0; left -= STUDENTS_OF_A_CLASS) {
    const teacher = teachers[classes.length % teachers.length]
    classes.push(schoolClass(seed, classes.length + 1, teacher))
    crowds.push(enrollmentsOf(seed, classes.length, teacher, Math.min(left, STUDENTS_OF_A_CLASS)))
  }
  const steps = chance.shuffled([...creates, ...refusals, ...crowds]).flat()

  const expiries = new Map()
  for (let at = EXPIRY_EVERY; at < steps.length; at += EXPIRY_EVERY) {
    expiries.set(at, { email: chance.pick(teachers).email, foreseen: true })
  }
  for (let at = 0; at < steps.length; at += EARLY_END_EVERY) {
    const mark = at + chance.between(1, Math.min(EARLY_END_EVERY, steps.length - at) - 1)
    expiries.set(mark, { email: chance.pick(teachers).email, foreseen: false })
  }
  const killMarks = new Set()
  const stretch = steps.length / (kills + 1)
  for (let index = 1; index <= kills; index++) {
    killMarks.add(Math.max(1, Math.round(stretch * index + stretch * 0.5 * (chance.number() - 0.5))))
  }
  return { seed, people: [...teachers, ...unlucky], classes, steps, expiries, killMarks }
}

module.exports = { workload, EVENTS_OF_A_CLASS, STUDENTS_OF_A_CLASS }
