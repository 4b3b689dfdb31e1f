'use strict'

/** What is true of one student: on how many lessons of the course, against what they were told. */
function auditStudent({ teacher, student, answers, live, lessons }) {
  const places = live.map(({ attendees = [] }) => attendees.filter(({ email }) => email === student.email).length)
  const on = places.filter((count) => count > 0).length
  const isWhole = on === lessons && places.every((count) => count === 1)
  const toldEnrolled = answers.some(({ success }) => success)
  return {
    teacher,
    student: student.email,
    students: 1,
    enrolled: isWhole ? 1 : 0,
    enrolledRight: (toldEnrolled ? isWhole : on === 0) ? 1 : 0,
    halfEnrolled: on > 0 && !isWhole ? 1 : 0,
    /** Told "enrolled", and missing on a lesson. */
    lost: toldEnrolled && !isWhole ? 1 : 0,
    /** Told "failed" to the last, and on a lesson all the same. */
    phantom: !toldEnrolled && on > 0 ? 1 : 0,
    on,
    answers,
  }
}

const SUMMED = ['students', 'enrolled', 'enrolledRight', 'halfEnrolled', 'lost', 'phantom']

/**
 * Asks the server itself who is on which lesson.
 *
 * @param {import('../lib/testing').Emulator} google
 * @param {ReturnType<import('./courses').courses>} courses
 * @param {object[][][]} answers what each student was told, course by course
 */
async function auditEnrollments(google, courses, answers) {
  const byCourse = await Promise.all(
    courses.map(async ({ teacher, lessons, students }, index) => {
      const live = await google.events(teacher, { live: true })
      return students.map((student, place) =>
        auditStudent({ teacher, student, answers: answers[index][place], live, lessons: lessons.length }),
      )
    }),
  )
  const enrollments = byCourse.flat()
  const totals = SUMMED.map((name) => [name, enrollments.reduce((sum, one) => sum + one[name], 0)])
  return { ...Object.fromEntries(totals), enrollments }
}

module.exports = { auditEnrollments }
