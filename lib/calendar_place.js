'use strict'

const { CalendarError, configuration } = require('./errors')

/** The calendar of a user for whom nothing else is said. */
const PRIMARY = 'primary'

/**
 * Where a call writes: `calendarId` and `timeZone` for the native part, the rest for results and records.
 * `calendarType` is `'primary'` or `'secondary'` unless the callback says otherwise.
 */
function placeOf({ calendarId, calendarType, secondaryCalendarId, subscriptionPlan, timeZone }) {
  const type = calendarType ?? (calendarId === PRIMARY ? 'primary' : 'secondary')
  return {
    calendarId,
    calendarType: type,
    secondaryCalendarId: secondaryCalendarId ?? (type === 'primary' ? null : calendarId),
    subscriptionPlan: subscriptionPlan ?? null,
    ...(timeZone === undefined || timeZone === null ? {} : { timeZone }),
  }
}

/** Checks what `resolveCalendar` answered. */
function placeFromCallback(answer) {
  if (
    answer === null ||
    typeof answer !== 'object' ||
    typeof answer.calendarId !== 'string' ||
    answer.calendarId === ''
  ) {
    throw configuration(
      'resolveCalendar must return an object with a non-empty string calendarId. Nothing was sent to Google.',
    )
  }
  return placeOf(answer)
}

/** A callback of the caller threw: its error is the cause, for it is the caller's own. */
function callbackFailed(name, cause) {
  if (CalendarError.is(cause)) return new CalendarError({ ...cause.toJSON(), outcome: 'not-sent' }, { cause })
  return new CalendarError(
    {
      code: 'STORE_UNAVAILABLE',
      outcome: 'not-sent',
      message: `The callback ${name} failed (see cause). Nothing was sent to Google; try again.`,
    },
    { cause },
  )
}

/** A callback of the caller did not answer in time. */
function callbackLate(name, ms) {
  return new CalendarError({
    code: 'TIMEOUT',
    outcome: 'not-sent',
    message: `${name} timed out after ${ms}ms. Nothing was sent to Google.`,
  })
}

/** The fields of a place that go into results. */
const told = ({ calendarType, secondaryCalendarId, subscriptionPlan }) => ({
  calendarType,
  secondaryCalendarId,
  subscriptionPlan,
})

module.exports = { PRIMARY, placeOf, placeFromCallback, callbackFailed, callbackLate, told }
