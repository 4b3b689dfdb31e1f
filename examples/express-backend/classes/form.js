'use strict'

const { isLocalTime } = require('../calendar/lessons')
const { Refusal } = require('../routes/refusal')

const MOST_SCHEDULES = 5
const MOST_LESSONS = 60
const DAY_MINUTES = 24 * 60

/** The form of a new class; throws a Refusal that names the field. */
function newClassForm(body) {
  const { title, timeZone, schedules } = body ?? {}
  checkTitle(title)
  check(isZone(timeZone), 'timeZone', 'Choose a time zone.')
  check(Array.isArray(schedules) && schedules.length >= 1, 'schedules', 'A class needs a schedule.')
  check(schedules.length <= MOST_SCHEDULES, 'schedules', `A class has at most ${MOST_SCHEDULES} schedules.`)
  for (const schedule of schedules) {
    check(isLocalTime(schedule?.first), 'first', 'Say when the first lesson begins.')
    check(isWhole(schedule.minutes, 5, DAY_MINUTES), 'minutes', 'A lesson lasts 5 minutes to a day.')
    check(isWhole(schedule.weeks, 1, MOST_LESSONS), 'weeks', `A schedule has 1 to ${MOST_LESSONS} weeks.`)
  }
  const lessons = schedules.reduce((sum, { weeks }) => sum + weeks, 0)
  check(lessons <= MOST_LESSONS, 'weeks', `A class has at most ${MOST_LESSONS} lessons; these are ${lessons}.`)
  return {
    title: title.trim(),
    timeZone,
    schedules: schedules.map(({ first, minutes, weeks }) => ({ first, minutes, weeks })),
  }
}

/** The form of a change; `count` lessons, in their order. */
function changedClassForm(body, count) {
  const { title, version, lessons } = body ?? {}
  checkTitle(title)
  check(Number.isSafeInteger(version), 'version', 'Say which version of the class this is a change of.')
  check(Array.isArray(lessons) && lessons.length === count, 'lessons', `This class has ${count} lessons.`)
  for (const lesson of lessons) {
    check(isLocalTime(lesson?.start) && isLocalTime(lesson?.end), 'lessons', 'Say when each lesson begins and ends.')
    check(withSeconds(lesson.start) < withSeconds(lesson.end), 'lessons', 'A lesson ends after it has begun.')
  }
  const times = lessons.map(({ start, end }) => ({ start: withSeconds(start), end: withSeconds(end) }))
  return { title: title.trim(), version, lessons: times }
}

const withSeconds = (local) => (local.length === 16 ? `${local}:00` : local)

function checkTitle(title) {
  check(typeof title === 'string' && title.trim() !== '', 'title', 'Give the class a title.')
  check(title.length <= 120, 'title', 'A title has at most 120 characters.')
}

const isWhole = (value, least, most) => Number.isInteger(value) && value >= least && value <= most

function isZone(name) {
  try {
    return typeof name === 'string' && Boolean(new Intl.DateTimeFormat('en', { timeZone: name }))
  } catch {
    return false
  }
}

function check(isWell, field, message) {
  if (!isWell) throw new Refusal(400, 'WRONG_INPUT', message, { field })
}

module.exports = { newClassForm, changedClassForm }
