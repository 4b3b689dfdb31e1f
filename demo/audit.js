'use strict'

const { auditEnrollments } = require('./enrollment_audit')

const sameInstant = (one, other) => Date.parse(one) === Date.parse(other)

/** Whether an event is what the form asked for: title, times as instants, everybody invited. */
function isRight(event, { title, start, end, students }) {
  const invited = new Set((event.attendees ?? []).map(({ email }) => email))
  return (
    event.summary === title &&
    sameInstant(event.start?.dateTime, start) &&
    sameInstant(event.end?.dateTime, end) &&
    students.every((email) => invited.has(email))
  )
}

/** What is true of one class: the events in its calendar against what its teacher was told. */
function auditClass({ teacher, form }, answers, live) {
  const right = live.filter((event) => isRight(event, form))
  const rightIds = new Set(right.map(({ id }) => id))
  // An answer that names no event is held against the service only if there is none at all.
  const isTrue = ({ eventId }) => (eventId === null ? right.length > 0 : rightIds.has(eventId))
  const toldCreated = answers.filter(({ success }) => success)
  return {
    teacher,
    asked: 1,
    liveRight: right.length > 0 ? 1 : 0,
    duplicates: Math.max(0, live.length - 1),
    silent: toldCreated.filter((answer) => !isTrue(answer)).length,
    leftOver: toldCreated.length === 0 && live.length > 0 ? 1 : 0,
    /** Copies that not even an event for every click explains: writes the service repeated by itself. */
    repeatedBlindly: Math.max(0, live.length - answers.length),
    /** Classes whose teacher had to click a third time, and those told "failed" even then. */
    clickedAgain: answers.length > 2 ? 1 : 0,
    toldFailed: toldCreated.length === 0 ? 1 : 0,
    answers,
    live,
  }
}

const SUMMED = [
  'asked',
  'liveRight',
  'duplicates',
  'silent',
  'leftOver',
  'repeatedBlindly',
  'clickedAgain',
  'toldFailed',
]

const sumOf = (list, countOf) => list.reduce((sum, one) => sum + countOf(one), 0)

/**
 * Asks the server itself what is in the calendars: neither service has a say in it.
 *
 * @param {import('../lib/testing').Emulator} google
 * @param {{lessons: ReturnType<import('./school').school>, courses: ReturnType<import('./courses').courses>}} plan
 * @param {{classes: object[][], enrollments: object[][][]}} answers what each teacher and each student was told
 */
async function audit(google, { lessons, courses }, answers) {
  const classes = await Promise.all(
    lessons.map(async (lesson, index) =>
      auditClass(lesson, answers.classes[index], await google.events(lesson.teacher, { live: true })),
    ),
  )
  const totals = Object.fromEntries(SUMMED.map((name) => [name, sumOf(classes, (one) => one[name])]))
  const enrolled = await auditEnrollments(google, courses, answers.enrollments)
  const told = [...answers.classes, ...answers.enrollments.flat()].flat()
  return {
    ...totals,
    ...enrolled,
    tokenFailures: sumOf(told, ({ tokenFailure }) => (tokenFailure ? 1 : 0)),
    slowestMs: Math.max(...told.map(({ elapsedMs }) => elapsedMs)),
    classes,
  }
}

/** Whether everything that was asked for is there, once, and everybody was told the truth. */
const isPerfectClass = ({ asked, liveRight, duplicates, silent, leftOver }) =>
  liveRight === asked && duplicates === 0 && silent === 0 && leftOver === 0
const isPerfectEnrollment = ({ students, enrolledRight }) => enrolledRight === students
const isPerfect = (totals) => isPerfectClass(totals) && isPerfectEnrollment(totals) && totals.tokenFailures === 0

/** 0 only if surecal was perfect and the old service was not: a demo without a duplicate shows nothing. */
const exitCodeOf = ({ before, surecal }) => (isPerfect(surecal) && before.duplicates > 0 ? 0 : 1)

module.exports = { audit, isRight, isPerfect, isPerfectClass, isPerfectEnrollment, exitCodeOf }
