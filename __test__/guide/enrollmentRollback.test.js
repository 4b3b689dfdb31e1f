'use strict'

// The implementation guide's own tests of its fix 3, where the enrollment is a row of a database: the guide's
// updateClassEnrollment stands here in small, its transaction and its rollback helper being transaction() and tx.step.

const Database = require('libsql')
const { googleClient } = require('../support/google_client')
const { setStage } = require('../support/stage')
const { lesson } = require('../support/lessons')
const { FORMS } = require('./forms')

const stage = setStage()

describe.each(FORMS)('Synchronous Attendee Operations with a database, %s', (_form, makeService) => {
  const studentId = 'student1'
  const classId = 'class1'
  const studentEmail = 'student@example.com'
  let database, service, user, eventIds

  const Enrollment = {
    create({ student_id, class_id }) {
      database.prepare('INSERT INTO enrollments VALUES (?, ?)').run(student_id, class_id)
    },
    remove({ student_id, class_id }) {
      database.prepare('DELETE FROM enrollments WHERE student_id = ? AND class_id = ?').run(student_id, class_id)
    },
    async findOne({ student_id, class_id }) {
      const query = database.prepare('SELECT * FROM enrollments WHERE student_id = ? AND class_id = ?')
      return query.all(student_id, class_id)[0] ?? null
    },
  }

  async function updateClassEnrollment(student_id, class_id) {
    await service.transaction(
      async (tx) => {
        await tx.step(
          () => Enrollment.create({ student_id, class_id }),
          () => Enrollment.remove({ student_id, class_id }),
        )
        for (const eventId of eventIds) await tx.addAttendee({ eventId, attendee: studentEmail })
      },
      { userId: user.email, auth: user.accessToken },
    )
    return { success: true }
  }

  beforeAll(async () => {
    database = new Database(':memory:')
    database.exec('CREATE TABLE enrollments (student_id TEXT, class_id TEXT)')
  })
  beforeEach(async () => {
    database.exec('DELETE FROM enrollments')
    user = await stage.user()
    service = makeService(stage.google.config)
    eventIds = []
    for (const summary of ['Algebra', 'Geometry']) {
      const { eventId } = await service.createEvent(user.email, user.accessToken, lesson({ summary }))
      eventIds.push(eventId)
    }
  })
  afterEach(() => service.close({ drainMs: 0 }))

  test('should add attendee before completing enrollment', async () => {
    const result = await updateClassEnrollment(studentId, classId)

    const google = googleClient(stage.google, user.accessToken)
    for (const eventId of eventIds) {
      const event = await google.events.get({ calendarId: 'primary', eventId })
      const attendee = event.data.attendees.find((att) => att.email === studentEmail)
      expect(attendee).toBeDefined()
    }
    expect(result.success).toBe(true)
    expect(await Enrollment.findOne({ student_id: studentId, class_id: classId })).not.toBeNull()
  })

  test('should rollback if attendee add fails', async () => {
    await stage.faultFor(user, {
      operation: 'events.patch',
      match: { eventId: eventIds[1] },
      fault: { kind: 'status', status: 403 },
    })

    await expect(updateClassEnrollment(studentId, classId)).rejects.toThrow('Failed to add attendee')

    // Verify enrollment was not completed in database
    const enrollment = await Enrollment.findOne({
      student_id: studentId,
      class_id: classId,
    })
    expect(enrollment).toBeNull()
    for (const event of await stage.live(user)) expect(event.attendees ?? []).toEqual([])
  })
})
