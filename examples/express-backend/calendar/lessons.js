'use strict'

// A class has schedules ("Mondays at ten, four times"), a schedule has slots, and each slot is one lesson: one event.

const DAY_MS = 86_400_000
const LOCAL_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$/

/** Local times have no zone; to count with them, they are read as if they were UTC, and written the same way. */
const read = (local) => Date.parse(`${local.length === 16 ? `${local}:00` : local}Z`)
const written = (ms) => new Date(ms).toISOString().slice(0, 19)

/** 30 February is none, though Date takes it for the 2nd of March. */
const isLocalTime = (text) =>
  typeof text === 'string' &&
  LOCAL_TIME.test(text) &&
  Number.isFinite(read(text)) &&
  written(read(text)).startsWith(text)

/**
 * schedules × slots → lessons. The same weekday and local time each week, whatever the clocks do in between.
 *
 * @param {{first: string, minutes: number, weeks: number}[]} schedules `first` is a local time
 */
function lessonsOf(schedules) {
  const lessons = schedules.flatMap(({ first, minutes, weeks }, schedule) =>
    Array.from({ length: weeks }, (_, slot) => {
      const start = read(first) + slot * 7 * DAY_MS
      return { schedule, slot, start: written(start), end: written(start + minutes * 60_000) }
    }),
  )
  return lessons.map((lesson, number) => ({ number, ...lesson }))
}

/** What goes to Google. */
function eventOf({ title, timeZone, lessons }, { number, start, end }) {
  return {
    summary: title,
    description: `Lesson ${number + 1} of ${lessons.length}`,
    start: { dateTime: start, timeZone },
    end: { dateTime: end, timeZone },
  }
}

/** A lesson with what Google says of it: which event it is, and when that is on the one clock. */
const placed = (lesson, event) => ({
  ...lesson,
  eventId: event.id,
  startsAt: new Date(event.start.dateTime).toISOString(),
})

/** 10 s, and half a second for each lesson. */
const timeFor = (lessons) => Math.min(60_000, 10_000 + 500 * lessons.length)

module.exports = { lessonsOf, eventOf, placed, isLocalTime, timeFor }
