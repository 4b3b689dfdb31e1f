'use strict'

/** A class with that many students, as a backend would write it. */
function lesson(attendees = 20) {
  return {
    summary: 'Algebra II',
    description: 'Quadratic equations, second part. Please bring the exercises of last week.',
    location: 'Room 14, Main Building',
    start: { dateTime: '2026-10-05T10:00:00+02:00', timeZone: 'Europe/Berlin' },
    end: { dateTime: '2026-10-05T11:00:00+02:00', timeZone: 'Europe/Berlin' },
    attendees: Array.from({ length: attendees }, (_, index) => ({
      email: `student.number${String(index).padStart(4, '0')}@school.example`,
      displayName: `Student Number ${index}`,
    })),
    reminders: { useDefault: false, overrides: [{ method: 'popup', minutes: 10 }] },
  }
}

module.exports = { lesson }
