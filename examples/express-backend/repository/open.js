'use strict'

/**
 * What the backend keeps, and the one interface to it. Every method is async. `sqlite.js` and `mongoose.js` implement it, and
 * one test runs against both.
 *
 * @typedef {object} Repository
 * @property {(person: Person) => Promise<void>} addPerson does nothing when the person is there
 * @property {() => Promise<Person[]>} people by name
 * @property {(id: string) => Promise<Person|null>} person
 * @property {(id: string) => Promise<Tokens|null>} tokensOf null: never connected, or disconnected
 * @property {(id: string, tokens: Tokens|null) => Promise<void>} saveTokens
 *
 * @property {(newClass: Class) => Promise<void>} addClass throws {@link Taken} if the organizer has a class under that key:
 *   the database itself refuses it, by a unique index
 * @property {(id: string) => Promise<Class|null>} classById
 * @property {(organizerId: string, key: string) => Promise<Class|null>} classByKey
 * @property {() => Promise<Class[]>} classes newest first
 * @property {(id: string, version: number, changes: {title: string, lessons: Lesson[]}) => Promise<boolean>} updateClass only
 *   if the class still has that version, which then is one more; says whether it did
 * @property {(id: string) => Promise<void>} removeClass
 *
 * @property {(enrollment: Enrollment) => Promise<void>} addEnrollment throws {@link Taken} if the student is in the class
 * @property {(classId: string, studentId: string) => Promise<Enrollment|null>} enrollment
 * @property {() => Promise<Enrollment[]>} enrollments oldest first
 * @property {(id: string) => Promise<void>} removeEnrollment
 *
 * @property {(reminders: Reminder[]) => Promise<void>} addReminders those that are there are left as they are
 * @property {(enrollmentId: string) => Promise<void>} removeReminders
 * @property {(classId: string, lesson: number, dueAt: string) => Promise<void>} moveReminders those not sent yet
 * @property {(now: string) => Promise<Reminder|null>} claimDueReminder marks one due reminder as sent and gives it: no other
 *   process gets it as well
 * @property {(studentId: string) => Promise<Reminder[]>} remindersOf soonest first
 *
 * @property {(entry: LogEntry) => Promise<void>} addLogEntry
 * @property {(userId: string, limit: number) => Promise<LogEntry[]>} logOf newest first
 * @property {() => Promise<void>} clear for tests: forgets everything
 * @property {() => Promise<void>} close
 *
 * @typedef {{id: string, name: string, email: string, role: 'instructor'|'student', timeZone: string}} Person
 * @typedef {{refresh_token: string, access_token?: string|null, expiry_date?: number|null}} Tokens
 * @typedef {{number: number, schedule: number, slot: number, start: string, end: string, startsAt: string, eventId: string}} Lesson
 *   `start` and `end` are local times of the class's zone, `startsAt` is the instant in UTC
 * @typedef {{id: string, organizerId: string, key: string, title: string, timeZone: string, version: number,
 *   createdAt: string, lessons: Lesson[]}} Class
 * @typedef {{id: string, classId: string, studentId: string, createdAt: string}} Enrollment
 * @typedef {{id: string, enrollmentId: string, classId: string, studentId: string, lesson: number, dueAt: string,
 *   sentAt: string|null}} Reminder
 * @typedef {{at: string, userId: string, operation: string, what: string, status: string, eventId: string|null, attempts: number,
 *   elapsedMs: number, errorCode: string|null, settled: string|null}} LogEntry
 */

/**
 * MongoDB by Mongoose when there is a `MONGODB_URL`, else a file of SQLite's.
 *
 * @param {{mongodbUrl?: string, file: string}} places
 * @returns {Promise<Repository>}
 */
async function openRepository({ mongodbUrl, file }) {
  // Only the one that is used has to be installed.
  if (mongodbUrl) return require('./mongoose').openMongoose(mongodbUrl)
  return require('./sqlite').openSqlite(file)
}

module.exports = { openRepository }
