'use strict'

const Database = require('libsql')
const { Taken } = require('./taken')

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS people (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE, role TEXT NOT NULL, timeZone TEXT NOT NULL,
    tokens TEXT
  ) STRICT;
  CREATE TABLE IF NOT EXISTS classes (
    id TEXT PRIMARY KEY, organizerId TEXT NOT NULL, key TEXT NOT NULL, title TEXT NOT NULL, timeZone TEXT NOT NULL,
    version INTEGER NOT NULL, createdAt TEXT NOT NULL, lessons TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX IF NOT EXISTS class_key ON classes (organizerId, key);
  CREATE TABLE IF NOT EXISTS enrollments (
    id TEXT PRIMARY KEY, classId TEXT NOT NULL, studentId TEXT NOT NULL, createdAt TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX IF NOT EXISTS enrolled_once ON enrollments (classId, studentId);
  CREATE TABLE IF NOT EXISTS reminders (
    id TEXT PRIMARY KEY, enrollmentId TEXT NOT NULL, classId TEXT NOT NULL, studentId TEXT NOT NULL,
    lesson INTEGER NOT NULL, dueAt TEXT NOT NULL, sentAt TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS reminders_due ON reminders (dueAt) WHERE sentAt IS NULL;
  CREATE INDEX IF NOT EXISTS reminders_of ON reminders (enrollmentId);
  CREATE TABLE IF NOT EXISTS log (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, userId TEXT NOT NULL, operation TEXT NOT NULL, what TEXT NOT NULL,
    status TEXT NOT NULL,
    eventId TEXT, attempts INTEGER NOT NULL, elapsedMs INTEGER NOT NULL, errorCode TEXT, settled TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS log_of ON log (userId, number);
`
const TABLES = ['people', 'classes', 'enrollments', 'reminders', 'log']

const PERSON = 'id, name, email, role, timeZone'
const ENTRY = 'at, userId, operation, what, status, eventId, attempts, elapsedMs, errorCode, settled'
const ENROLLMENT = ['id', 'classId', 'studentId', 'createdAt']
const REMINDER = ['id', 'enrollmentId', 'classId', 'studentId', 'lesson', 'dueAt', 'sentAt']

/**
 * The repository in a file of SQLite's, shared by the processes of one machine.
 *
 * @param {string} file
 * @returns {Promise<import('./open').Repository>}
 */
async function openSqlite(file) {
  const database = new Database(file)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000')
  database.exec(SCHEMA)

  const statements = new Map()
  const prepared = (sql) => {
    if (!statements.has(sql)) statements.set(sql, database.prepare(sql))
    return statements.get(sql)
  }
  const all = (sql, ...values) => prepared(sql).all(...values)
  const one = (sql, ...values) => all(sql, ...values)[0] ?? null
  const run = (sql, ...values) => prepared(sql).run(...values).changes
  const insert = (table, names, row) =>
    run(
      `INSERT INTO ${table} (${names.join()}) VALUES (${names.map(() => '?').join()}) ON CONFLICT DO NOTHING`,
      ...names.map((name) => row[name] ?? null),
    )
  const whole = (row) => row && { ...row, lessons: JSON.parse(row.lessons) }

  return {
    async addPerson(person) {
      insert('people', PERSON.split(', '), person)
    },
    people: async () => all(`SELECT ${PERSON} FROM people ORDER BY name`),
    person: async (id) => one(`SELECT ${PERSON} FROM people WHERE id = ?`, id),
    async tokensOf(id) {
      const row = one('SELECT tokens FROM people WHERE id = ?', id)
      return row?.tokens ? JSON.parse(row.tokens) : null
    },
    async saveTokens(id, tokens) {
      run('UPDATE people SET tokens = ? WHERE id = ?', tokens && JSON.stringify(tokens), id)
    },

    async addClass(row) {
      const names = ['id', 'organizerId', 'key', 'title', 'timeZone', 'version', 'createdAt', 'lessons']
      const added = insert('classes', names, { ...row, lessons: JSON.stringify(row.lessons) })
      if (added === 0) throw new Taken('There is a class under this key.')
    },
    classById: async (id) => whole(one('SELECT * FROM classes WHERE id = ?', id)),
    classByKey: async (organizerId, key) =>
      whole(one('SELECT * FROM classes WHERE organizerId = ? AND key = ?', organizerId, key)),
    classes: async () => all('SELECT * FROM classes ORDER BY createdAt DESC, id').map(whole),
    async updateClass(id, version, { title, lessons }) {
      const sql = 'UPDATE classes SET title = ?, lessons = ?, version = version + 1 WHERE id = ? AND version = ?'
      return run(sql, title, JSON.stringify(lessons), id, version) === 1
    },
    async removeClass(id) {
      run('DELETE FROM classes WHERE id = ?', id)
    },

    async addEnrollment(row) {
      if (insert('enrollments', ENROLLMENT, row) === 0) throw new Taken('The student is in the class.')
    },
    enrollment: async (classId, studentId) =>
      one('SELECT * FROM enrollments WHERE classId = ? AND studentId = ?', classId, studentId),
    enrollments: async () => all('SELECT * FROM enrollments ORDER BY createdAt, id'),
    async removeEnrollment(id) {
      run('DELETE FROM enrollments WHERE id = ?', id)
    },

    async addReminders(rows) {
      for (const row of rows) insert('reminders', REMINDER, row)
    },
    async removeReminders(enrollmentId) {
      run('DELETE FROM reminders WHERE enrollmentId = ?', enrollmentId)
    },
    async moveReminders(classId, lesson, dueAt) {
      run('UPDATE reminders SET dueAt = ? WHERE classId = ? AND lesson = ? AND sentAt IS NULL', dueAt, classId, lesson)
    },
    claimDueReminder: async (now) =>
      one(
        `UPDATE reminders SET sentAt = ?1 WHERE id =
          (SELECT id FROM reminders WHERE sentAt IS NULL AND dueAt <= ?1 ORDER BY dueAt LIMIT 1)
          AND sentAt IS NULL RETURNING *`,
        now,
      ),
    remindersOf: async (studentId) => all('SELECT * FROM reminders WHERE studentId = ? ORDER BY dueAt, id', studentId),

    async addLogEntry(entry) {
      insert('log', ENTRY.split(', '), entry)
    },
    logOf: async (userId, limit) =>
      all(`SELECT ${ENTRY} FROM log WHERE userId = ? ORDER BY number DESC LIMIT ?`, userId, limit),

    async clear() {
      for (const table of TABLES) run(`DELETE FROM ${table}`)
    },
    async close() {
      database.close()
    },
  }
}

module.exports = { openSqlite }
