'use strict'

// The implementation guide's own tests of its fix 3, as far as they are about addAttendeeToEvent. What is expected stands
// as it is there; the mocks of Google's client and of the add have become a server and its faults, and the guide's
// enrollment service stands here in small, with its call of two arguments.

const { googleClient } = require('../support/google_client')
const { setStage } = require('../support/stage')
const { lesson } = require('../support/lessons')
const { FORMS } = require('./forms')

const stage = setStage()

describe.each(FORMS)('Synchronous Attendee Operations, %s', (_form, makeService) => {
  let service, user, eventId, studentEmail, enrollments

  /** The guide's step 1: the enrollment is completed after the add, and fails with it. */
  async function updateClassEnrollment(studentId, classId) {
    await service.addAttendeeToEvent(eventId, studentEmail)
    enrollments.push({ student_id: studentId, class_id: classId })
    return { success: true }
  }

  beforeEach(async () => {
    user = await stage.user()
    studentEmail = 'student@example.com'
    enrollments = []
    service = makeService({
      ...stage.google.config,
      resolveCalendarForEvent: async () => ({ userId: user.email, calendarId: 'primary', auth: user.accessToken }),
    })
    ;({ eventId } = await service.createEvent(user.email, user.accessToken, lesson()))
  })
  afterEach(() => service.close({ drainMs: 0 }))

  test('should add attendee before completing enrollment', async () => {
    const result = await updateClassEnrollment('student1', 'class1')

    const google = googleClient(stage.google, user.accessToken)
    const event = await google.events.get({ calendarId: 'primary', eventId })
    const attendee = event.data.attendees.find((att) => att.email === studentEmail)

    expect(attendee).toBeDefined()
    expect(result.success).toBe(true)
  })

  test('should rollback if attendee add fails', async () => {
    await stage.faultFor(user, { operation: 'events.patch', fault: { kind: 'status', status: 403 } })

    await expect(updateClassEnrollment('student1', 'class1')).rejects.toThrow('Failed to add attendee')

    const enrollment = enrollments.find((row) => row.student_id === 'student1') ?? null
    expect(enrollment).toBeNull()
    const [event] = await stage.live(user)
    expect(event.attendees ?? []).toEqual([])
  })

  test('who is added already is so, whatever the case of letters, and the list tells how many', async () => {
    const first = await service.addAttendeeToEvent(eventId, studentEmail)
    expect(first).toMatchObject({ success: true, alreadyAdded: false, attendeeCount: 1, verified: true })
    const again = await service.addAttendeeToEvent(eventId, 'Student@Example.com')
    expect(again).toMatchObject({ success: true, alreadyAdded: true, attendeeCount: 1 })
  })
})
