'use strict'

const { isPerfect } = require('./audit')
const { LESSONS } = require('./courses')
const { coursesWithFullLesson, stormsAmong } = require('./faults')
const { EXCHANGE_LIMIT_MS, TOKENS_EXPIRE_AFTER_MS } = require('./limits')
const { seconds } = require('./table')

const WIDTH = 96

/** Breaks a sentence into lines of at most WIDTH. */
function wrapped(text) {
  const lines = ['']
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`.trimStart()
    if (longer.length <= WIDTH) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines.map((line) => `  ${line}`).join('\n')
}

const count = (number, one, many) => `${number} ${number === 1 ? one : many}`

/** What is about to happen. */
function opening({ seed, lessons, courses }) {
  const classes = lessons.length
  const students = courses.reduce((sum, course) => sum + course.students.length, 0)
  const fullCourses = coursesWithFullLesson(courses)
  const full = fullCourses > 0 ? `, and in ${count(fullCourses, 'course', 'courses')} the last lesson takes nobody` : ''
  return [
    `surecal demo, seed ${seed}. ${count(classes, 'teacher creates a class', 'teachers create a class each')}, by a double ` +
      'click: two HTTP requests with one X-Idempotency-Key to an Express app. Meanwhile ' +
      `${count(students, 'student enrolls', 'students enroll')}, each on all ${LESSONS} lessons of a course ` +
      `(${count(courses.length, 'course', 'courses')}), and after ${seconds(TOKENS_EXPIRE_AFTER_MS)} every access token expires. ` +
      '"before" is the usual hand-written service on Google\'s own client; with surecal that one file of the app is ' +
      'replaced, nothing else.',
    'Each has a Google Calendar server of its own with the same faults at the same calls: requests and answers lost, ' +
      'hangs, 429, 403, 5xx, garbage, events stored late, wrongly or not at all. Every second class is struck at its first ' +
      `insert, later calls now and then; for ${count(stormsAmong(classes), 'class', 'classes')} every answer to an insert ` +
      `is lost for a while. Most first refreshes of a token meet an error, garbage or no answer${full}.`,
  ]
    .map(wrapped)
    .join('\n')
}

/** The table in words. */
function meaning({ before, surecal }) {
  return [
    `Duplicates: the old service makes an event for every click, and sends an insert again when only its answer was ` +
      `lost. At least ${before.repeatedBlindly} of its ${before.duplicates} duplicates come from such repeats alone.`,
    `Silent: it believes every 200; ${count(before.silent, 'time', 'times')} it said "created" of an event that is missing ` +
      `or wrong. Left-over: of ${count(before.toldFailed, 'class', 'classes')} it said "failed" to the last, and ` +
      `${before.leftOver} of them stayed in the calendar.`,
    `Enrolling: it reads the guest list, adds one and writes it back, lesson after lesson. ` +
      `${count(before.lost, 'student', 'students')} told "enrolled" ${before.lost === 1 ? 'is' : 'are'} missing on a lesson: ` +
      `somebody else's write came between, or it was lost; ${before.phantom} told "failed" ` +
      `${before.phantom === 1 ? 'is' : 'are'} on some all the same. surecal told ${surecal.enrolled} "enrolled", the others ` +
      '"failed", and took back what it had done for those.',
    isPerfect(surecal)
      ? 'surecal makes the event id from the key, looks before it sends anything again, and reads back what it wrote: ' +
        'every class is there once, every student on all lessons or none, and every answer was true.'
      : 'surecal was NOT perfect: that is a bug. What is known of it is listed below.',
    `Whoever got "failed" for every click clicked once more, with the same key (teachers, before: ${before.clickedAgain}, ` +
      `surecal: ${surecal.clickedAgain}). To keep this short, one HTTP exchange may take ${seconds(EXCHANGE_LIMIT_MS)} for ` +
      'both; in production it is 4 s for surecal, and for the old service, which has no timeout, 30 s and more.',
  ]
    .map(wrapped)
    .join('\n')
}

module.exports = { opening, meaning }
