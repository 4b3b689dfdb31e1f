'use strict'

/**
 * Fix 3: attendees are awaited, and taken back when one fails.
 *
 * Filled in where the guide leaves it open: `getOAuthClient` ("from context or parameter") is the client of the teacher
 * whose event it is; `removeAttendeeFromEvent` is written as its `addAttendeeToEvent` is; "existing enrollment logic" is
 * one row in the database, looked for at the start and written when all attendees are there.
 */
function writtenAttendees({ calendar, database, getRefreshedOAuthClient }) {
  const getOAuthClient = async (eventId) =>
    getRefreshedOAuthClient(await database.findOwnerOfEvent(eventId), { throwOnFailure: true, requireFresh: true })
  const calendarInfo = { calendarId: 'primary' }

  /** Step 2. */
  async function addAttendeeToEvent(eventId, attendeeEmail) {
    try {
      const oauth2Client = await getOAuthClient(eventId)
      const eventResult = await calendar.events.get({
        auth: oauth2Client,
        calendarId: calendarInfo.calendarId,
        eventId: eventId,
      })
      const event = eventResult.data
      const existingAttendees = event.attendees || []
      const alreadyAdded = existingAttendees.some((att) => att.email?.toLowerCase() === attendeeEmail.toLowerCase())
      if (alreadyAdded) return { success: true, alreadyAdded: true }
      const updatedAttendees = [...existingAttendees, { email: attendeeEmail, responseStatus: 'needsAction' }]
      await calendar.events.patch({
        auth: oauth2Client,
        calendarId: calendarInfo.calendarId,
        eventId: eventId,
        resource: { attendees: updatedAttendees },
        sendNotifications: true,
        sendUpdates: 'all',
      })
      const verifyResult = await calendar.events.get({
        auth: oauth2Client,
        calendarId: calendarInfo.calendarId,
        eventId: eventId,
      })
      const verifiedAttendees = verifyResult.data.attendees || []
      const attendeeAdded = verifiedAttendees.some((att) => att.email?.toLowerCase() === attendeeEmail.toLowerCase())
      if (!attendeeAdded) throw new Error('Attendee was not added to event (verification failed)')
      return { success: true, alreadyAdded: false, attendeeCount: verifiedAttendees.length }
    } catch (error) {
      throw new Error(`Failed to add attendee: ${error.message}`, { cause: error })
    }
  }

  async function removeAttendeeFromEvent(eventId, attendeeEmail) {
    const oauth2Client = await getOAuthClient(eventId)
    const { data: event } = await calendar.events.get({
      auth: oauth2Client,
      calendarId: calendarInfo.calendarId,
      eventId,
    })
    const attendees = (event.attendees || []).filter((att) => att.email?.toLowerCase() !== attendeeEmail.toLowerCase())
    await calendar.events.patch({
      auth: oauth2Client,
      calendarId: calendarInfo.calendarId,
      eventId,
      resource: { attendees },
      sendUpdates: 'all',
    })
  }

  /** Step 3's helper. */
  async function rollbackEnrollment(transaction) {
    for (const { eventId, attendeeEmail } of transaction.addedAttendees) {
      try {
        await removeAttendeeFromEvent(eventId, attendeeEmail)
      } catch {
        // "Failed to remove attendee during rollback": a console line there.
      }
    }
  }

  /** Step 3. */
  return async function updateClassEnrollment(classId, student) {
    const enrollmentTransaction = { addedAttendees: [], updatedDocs: [], scheduledNotifications: [] }
    if (await database.findEnrollment(classId, student)) return { success: true }
    const { eventIds } = await database.findSchoolClass(classId)
    for (const eventId of eventIds) {
      try {
        await addAttendeeToEvent(eventId, student)
        enrollmentTransaction.addedAttendees.push({ eventId, attendeeEmail: student })
      } catch (attendeeError) {
        await rollbackEnrollment(enrollmentTransaction)
        throw attendeeError
      }
    }
    await database.saveEnrollment(classId, student)
    return { success: true }
  }
}

module.exports = { writtenAttendees }
