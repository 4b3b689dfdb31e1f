'use strict'

// The third rollback of the implementation guide, as MIGRATION.md has it: attendee operations that time out no longer
// stop an enrollment. See rollback.test.js for the others.

const { setStage } = require('./support/stage')
const { rollback } = require('./support/migration_guide')
const { lesson } = require('./support/lessons')

const stage = setStage({ seed: 616 })
const STUDENT = 'student@school.test'

test('switched on, an event that takes too long is left out and logged, and the enrollment goes on; switched off, it fails', async () => {
  const records = []
  const service = stage.service({ onOperation: (record) => records.push(record) })
  // The guide's 5 s would be waited for three times.
  const shortened = () => service.configure({ attendees: { timeoutMs: 400 }, attemptTimeoutMs: 300 })
  const flip = async (name) => {
    await rollback(name)(service)
    shortened()
  }
  shortened()

  /** Two classes, of which the second never answers a change. */
  async function enrolled() {
    const user = await stage.user()
    const auth = user.credentials
    const [well, late] = await Promise.all(
      [0, 1].map(async () => (await service.createEvent(user.email, auth, lesson())).eventId),
    )
    await stage.faultFor(user, { operation: 'events.patch', match: { eventId: late }, fault: { kind: 'hang' } })
    const request = { userId: user.email, auth, events: [well, late], attendee: STUDENT, timeoutMs: 3000 }
    const end = await service.enroll(request).then(
      (result) => ({ result }),
      (error) => ({ error }),
    )
    const guests = async () => {
      const live = await stage.live(user)
      return [well, late].map((id) => live.find((event) => event.id === id).attendees?.map(({ email }) => email) ?? [])
    }
    return { ...end, well, late, guests }
  }

  const before = await enrolled()
  expect(before.error).toMatchObject({ code: 'TIMEOUT', message: expect.stringMatching(/^Failed to add attendee/) })
  expect(await before.guests()).toEqual([[], []])

  await flip('attendees')
  records.length = 0
  const during = await enrolled()
  expect(during.result).toMatchObject({ success: true, skipped: [during.late] })
  expect(await during.guests()).toEqual([[STUDENT], []])
  // For whoever puts it right by hand.
  const logged = records.filter(({ operation }) => operation === 'ENROLL')
  expect(logged.map(({ googleEventId, status, errorCode }) => [googleEventId, status, errorCode])).toEqual([
    [during.well, 'SUCCESS', null],
    [during.late, 'FAILURE', 'TIMEOUT'],
  ])

  await flip('attendees-back')
  const after = await enrolled()
  expect(after.error).toMatchObject({ code: 'TIMEOUT', message: expect.stringMatching(/^Failed to add attendee/) })
  expect(await after.guests()).toEqual([[], []])
})
