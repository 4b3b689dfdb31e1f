'use strict'

const { isPerfectClass, isPerfectEnrollment } = require('./audit')

const isoTime = (atMs) => `${String(atMs).padStart(6)} ms`

const toldLines = (answers, done) =>
  answers.map(
    ({ success, eventId, message, elapsedMs }) =>
      `    told ${success ? `"${done}" ${eventId ?? ''}` : `"failed": ${message}`} after ${Math.round(elapsedMs)} ms`,
  )

/** What there is to know of all that went wrong: the answers, the live events, every request to the calendars. */
async function evidence(google, { classes, enrollments }) {
  const requests = await google.requests()
  const requestLines = (teacher) =>
    requests
      .filter(({ calendarId }) => calendarId === teacher)
      .map(
        ({ atMs, operation, eventId, status, fault, committed, ifMatch }) =>
          `    ${isoTime(atMs)} ${operation} ${eventId ?? ''} -> ${status ?? 'no answer'}` +
          `${fault ? ` [${fault}]` : ''}${committed ? ' committed' : ''}${ifMatch ? ` if-match ${ifMatch}` : ''}`,
      )
  const hasTokenFailure = ({ answers }) => answers.some(({ tokenFailure }) => tokenFailure)

  const ofClasses = classes
    .filter((one) => !isPerfectClass(one) || hasTokenFailure(one))
    .flatMap(({ teacher, duplicates, silent, leftOver, answers, live }) => [
      `  ${teacher}: ${live.length} live, duplicates ${duplicates}, silent ${silent}, left-over ${leftOver}`,
      ...toldLines(answers, 'created'),
      ...live.map(({ id, summary, start }) => `    live ${id} ${JSON.stringify(summary)} ${start?.dateTime}`),
      ...requestLines(teacher),
    ])
  const wrong = enrollments.filter((one) => !isPerfectEnrollment(one) || hasTokenFailure(one))
  const ofStudents = wrong.flatMap(({ student, teacher, on, answers }) => [
    `  ${student} at ${teacher}: on ${on} lessons`,
    ...toldLines(answers, 'enrolled'),
  ])
  const ofCourses = [...new Set(wrong.map(({ teacher }) => teacher))].flatMap((teacher) => [
    `  ${teacher}:`,
    ...requestLines(teacher),
  ])
  return [...ofClasses, ...ofStudents, ...ofCourses].join('\n')
}

module.exports = { evidence }
