'use strict'

// 500 students join one event, from four processes, while one exchange in three goes wrong and another program edits the
// event all the time.

const { setStage } = require('../support/stage')
const { holdService } = require('../support/process')
const { lesson } = require('../support/lessons')
const { googleClient } = require('../support/google_client')

const stage = setStage({ latencyMs: 20 })
const THERE = [
  { email: 'ada@example.com', responseStatus: 'accepted', comment: 'I come', additionalGuests: 2 },
  { email: 'bob@example.com', optional: true, responseStatus: 'declined' },
  { email: 'cid@example.com', displayName: 'Cid', responseStatus: 'tentative' },
]

/** Another program, with Google's own client: reads, and writes the description onto what it read. */
async function edits(user, editor, eventId, signal) {
  const google = googleClient(stage.google, editor.accessToken)
  const where = { calendarId: user.calendarId, eventId }
  let last = null
  for (let number = 1; !signal.aborted; number += 1) {
    const description = `edit ${number}`
    // What went wrong is edited again; what was acknowledged and dropped does not count as one of its edits.
    // With If-Match, so that a late arrival of an older edit does not overwrite a newer one.
    const told = await google.events
      .get(where, { timeout: 500 })
      .then(({ data }) =>
        google.events.patch(
          { ...where, requestBody: { description } },
          { timeout: 500, headers: { 'If-Match': data.etag } },
        ),
      )
      .catch(() => null)
    if (told?.status === 200 && (await stage.live(user))[0].description === description) last = description
    await new Promise((resolve) => {
      setTimeout(resolve, 50)
    })
  }
  return last
}

test('500 adds to one event from 4 processes through faults: each is there once, and nothing else is changed', async () => {
  const user = await stage.user()
  const editor = await stage.google.addUser({ email: 'editor@school.test' })
  const { id: calendarId } = await stage.google.addCalendar({
    owner: user.email,
    sharedWith: { [editor.email]: 'writer' },
  })
  const place = { ...user, calendarId }
  const { id: eventId } = await stage.google.putEvent(calendarId, { ...lesson(), attendees: THERE })
  const students = Array.from({ length: 500 }, (_, number) => `student${number}@example.com`)
  const services = await Promise.all(students.slice(0, 4).map(() => holdService(stage.google.config)))
  const options = { userId: user.email, auth: user.accessToken, calendarId, timeoutMs: 60000, attemptTimeoutMs: 1000 }

  await stage.google.profile({ seed: 7, rate: 1 / 3, operations: ['events.*'] })
  const stop = new AbortController()
  const editing = edits(place, editor, eventId, stop.signal)
  const results = await Promise.all(
    students.map((student, number) => services[number % 4].call('addAttendeeToEvent', eventId, student, options)),
  )
  stop.abort()
  const lastEdit = await editing
  await stage.google.profile(null)
  await stage.google.release()

  expect(results.every(({ success, verified, alreadyAdded }) => success && verified && !alreadyAdded)).toBe(true)
  const [event] = await stage.live(place)
  const emails = event.attendees.map(({ email }) => email)
  expect(new Set(emails).size).toBe(emails.length)
  expect([...emails].sort()).toEqual([...THERE.map(({ email }) => email), ...students].sort())
  expect(event.attendees.slice(0, 3)).toEqual(THERE)
  expect(lastEdit).not.toBeNull()
  const numberOf = (description) => Number(description.replace('edit ', ''))
  expect(numberOf(event.description)).toBeGreaterThanOrEqual(numberOf(lastEdit))
  // One by one, each takes a read, a write and a read back.
  const calls = await stage.requestsOf(user)
  expect(calls.length).toBeLessThanOrEqual((3 * 500) / 10)
  await Promise.all(services.map((service) => service.end()))
}, 90000)
