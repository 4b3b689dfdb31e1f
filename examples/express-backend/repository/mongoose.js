'use strict'

const mongoose = require('mongoose')
const { Taken } = require('./taken')

const DUPLICATE_KEY = 11000

/** Rows as the interface has them. */
const PLAIN = { _id: 0 }

const text = { type: String, required: true }
const schemaOf = (fields) =>
  new mongoose.Schema({ id: { ...text, unique: true }, ...fields }, { id: false, versionKey: false })

function schemas() {
  const person = schemaOf({
    name: text,
    email: { ...text, unique: true },
    role: { ...text, enum: ['instructor', 'student'] },
    timeZone: text,
    tokens: { type: Object, default: null },
  })
  const lesson = new mongoose.Schema(
    { number: Number, schedule: Number, slot: Number, start: text, end: text, startsAt: text, eventId: text },
    { _id: false, id: false },
  )
  const oneClass = schemaOf({
    organizerId: text,
    key: text,
    title: text,
    timeZone: text,
    version: { type: Number, required: true },
    createdAt: text,
    lessons: [lesson],
  })
  // Of two inserts with one key of one organizer, the database refuses one.
  oneClass.index({ organizerId: 1, key: 1 }, { unique: true })
  const enrollment = schemaOf({ classId: text, studentId: text, createdAt: text })
  enrollment.index({ classId: 1, studentId: 1 }, { unique: true })
  const reminder = schemaOf({
    enrollmentId: { ...text, index: true },
    classId: text,
    studentId: { ...text, index: true },
    lesson: Number,
    dueAt: text,
    sentAt: { type: String, default: null },
  })
  reminder.index({ sentAt: 1, dueAt: 1 })
  const logEntry = new mongoose.Schema(
    {
      at: text,
      userId: { ...text, index: true },
      operation: text,
      what: text,
      status: text,
      eventId: String,
      attempts: Number,
      elapsedMs: Number,
      errorCode: String,
      settled: String,
    },
    { versionKey: false },
  )
  return { person, oneClass, enrollment, reminder, logEntry }
}

/**
 * The repository in MongoDB, for any number of machines.
 *
 * @param {string} url
 * @returns {Promise<import('./open').Repository>}
 */
async function openMongoose(url) {
  // What was acknowledged must not be lost, and what is read must have been acknowledged.
  const connection = await mongoose.createConnection(url, { w: 'majority', readPreference: 'primary' }).asPromise()
  const { person, oneClass, enrollment, reminder, logEntry } = schemas()
  const Person = connection.model('Person', person)
  const Class = connection.model('Class', oneClass)
  const Enrollment = connection.model('Enrollment', enrollment)
  const Reminder = connection.model('Reminder', reminder)
  const LogEntry = connection.model('LogEntry', logEntry)
  const models = [Person, Class, Enrollment, Reminder, LogEntry]
  // Without its unique indexes a repository promises nothing.
  await Promise.all(models.map((model) => model.init()))

  const withoutTokens = { ...PLAIN, tokens: 0 }

  return {
    async addPerson(row) {
      await Person.updateOne({ id: row.id }, { $setOnInsert: row }, { upsert: true })
    },
    people: () => Person.find({}, withoutTokens).sort({ name: 1 }).lean(),
    person: (id) => Person.findOne({ id }, withoutTokens).lean(),
    async tokensOf(id) {
      return (await Person.findOne({ id }, { tokens: 1 }).lean())?.tokens ?? null
    },
    async saveTokens(id, tokens) {
      await Person.updateOne({ id }, { $set: { tokens } })
    },

    addClass: (row) => inserted(Class, row, 'There is a class under this key.'),
    classById: (id) => Class.findOne({ id }, PLAIN).lean(),
    classByKey: (organizerId, key) => Class.findOne({ organizerId, key }, PLAIN).lean(),
    classes: () => Class.find({}, PLAIN).sort({ createdAt: -1, id: 1 }).lean(),
    async updateClass(id, version, { title, lessons }) {
      const changes = { $set: { title, lessons }, $inc: { version: 1 } }
      return (await Class.updateOne({ id, version }, changes)).matchedCount === 1
    },
    async removeClass(id) {
      await Class.deleteOne({ id })
    },

    addEnrollment: (row) => inserted(Enrollment, row, 'The student is in the class.'),
    enrollment: (classId, studentId) => Enrollment.findOne({ classId, studentId }, PLAIN).lean(),
    enrollments: () => Enrollment.find({}, PLAIN).sort({ createdAt: 1, id: 1 }).lean(),
    async removeEnrollment(id) {
      await Enrollment.deleteOne({ id })
    },

    async addReminders(rows) {
      const writes = rows.map((row) => ({
        updateOne: { filter: { id: row.id }, update: { $setOnInsert: row }, upsert: true },
      }))
      if (writes.length > 0) await Reminder.bulkWrite(writes)
    },
    async removeReminders(enrollmentId) {
      await Reminder.deleteMany({ enrollmentId })
    },
    async moveReminders(classId, number, dueAt) {
      await Reminder.updateMany({ classId, lesson: number, sentAt: null }, { $set: { dueAt } })
    },
    claimDueReminder: (now) =>
      Reminder.findOneAndUpdate(
        { sentAt: null, dueAt: { $lte: now } },
        { $set: { sentAt: now } },
        { sort: { dueAt: 1 }, returnDocument: 'after', projection: PLAIN },
      ).lean(),
    remindersOf: (studentId) => Reminder.find({ studentId }, PLAIN).sort({ dueAt: 1, id: 1 }).lean(),

    async addLogEntry(entry) {
      await LogEntry.create(entry)
    },
    logOf: (userId, limit) => LogEntry.find({ userId }, PLAIN).sort({ _id: -1 }).limit(limit).lean(),

    async clear() {
      for (const model of models) await model.deleteMany({})
    },
    close: () => connection.close(),
  }
}

async function inserted(Model, row, refusal) {
  try {
    await Model.create(row)
  } catch (error) {
    throw error.code === DUPLICATE_KEY ? new Taken(refusal) : error
  }
}

module.exports = { openMongoose }
