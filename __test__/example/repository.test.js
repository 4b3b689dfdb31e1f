'use strict'

// The interface of examples/express-backend/repository, held against each of its homes.

const { openRepository } = require('../../examples/express-backend/repository/open')
const { ROW_HOMES } = require('../support/row_homes')

const ADA = { id: 'ada', name: 'Ada', email: 'ada@school.test', role: 'instructor', timeZone: 'Europe/London' }
const BEN = { id: 'ben', name: 'Ben', email: 'ben@school.test', role: 'student', timeZone: 'Asia/Kolkata' }
const lesson = (number) => ({
  number,
  schedule: 0,
  slot: number,
  start: `2027-03-0${number + 1}T10:00:00`,
  end: `2027-03-0${number + 1}T11:00:00`,
  startsAt: `2027-03-0${number + 1}T10:00:00.000Z`,
  eventId: `event${number}`,
})
const algebra = (changes = {}) => ({
  id: 'class1',
  organizerId: 'ada',
  key: 'key1',
  title: 'Algebra',
  timeZone: 'Europe/London',
  version: 1,
  createdAt: '2027-01-01T00:00:00.000Z',
  lessons: [lesson(0), lesson(1)],
  ...changes,
})
const enrollment = (changes = {}) => ({
  id: 'enrollment1',
  classId: 'class1',
  studentId: 'ben',
  createdAt: '2027-01-02T00:00:00.000Z',
  ...changes,
})
const reminder = (number, changes = {}) => ({
  id: `enrollment1:${number}`,
  enrollmentId: 'enrollment1',
  classId: 'class1',
  studentId: 'ben',
  lesson: number,
  dueAt: `2027-03-0${number + 1}T09:00:00.000Z`,
  sentAt: null,
  ...changes,
})
const logEntry = (eventId) => ({
  at: '2027-01-01T00:00:00.000Z',
  userId: 'ada',
  operation: 'CREATE_EVENT',
  what: 'create class',
  status: 'SUCCESS',
  eventId,
  attempts: 2,
  elapsedMs: 31,
  errorCode: null,
  settled: null,
})

describe.each(ROW_HOMES)('the rows in %s', (_name, start) => {
  let home, rows
  beforeAll(async () => {
    home = await start()
    rows = await openRepository(home.places)
  })
  beforeEach(() => rows.clear())
  afterAll(async () => {
    await rows?.close()
    await home?.stop()
  })

  test('people are added once, and their tokens are kept apart', async () => {
    await rows.addPerson(BEN)
    await rows.addPerson(ADA)
    await rows.addPerson({ ...ADA, name: 'Somebody else' })
    expect(await rows.people()).toEqual([ADA, BEN])
    expect(await rows.person('ada')).toEqual(ADA)
    expect(await rows.person('nobody')).toBeNull()
    expect(await rows.tokensOf('ada')).toBeNull()
    const tokens = { refresh_token: 'r', access_token: 'a', expiry_date: 1 }
    await rows.saveTokens('ada', tokens)
    expect(await rows.tokensOf('ada')).toEqual(tokens)
    await rows.saveTokens('ada', null)
    expect(await rows.tokensOf('ada')).toBeNull()
  })

  test('of many classes with one key of one organizer, one is there', async () => {
    const tries = Array.from({ length: 8 }, (_, nth) => rows.addClass(algebra({ id: `class${nth}` })))
    const results = await Promise.allSettled(tries)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const names = results.filter(({ reason }) => reason).map(({ reason }) => reason.name)
    expect(new Set(names)).toEqual(new Set(['Taken']))
    expect(await rows.classes()).toHaveLength(1)
    await rows.addClass(algebra({ id: 'other', organizerId: 'emmy' }))
    expect(await rows.classByKey('emmy', 'key1')).toEqual(algebra({ id: 'other', organizerId: 'emmy' }))
    expect(await rows.classByKey('emmy', 'key2')).toBeNull()
  })

  test('a class is changed from the version it has, and from no other', async () => {
    await rows.addClass(algebra())
    const changes = { title: 'Geometry', lessons: [lesson(0), { ...lesson(1), start: '2027-03-05T10:00:00' }] }
    const told = await Promise.all(Array.from({ length: 5 }, () => rows.updateClass('class1', 1, changes)))
    expect(told.sort()).toEqual([false, false, false, false, true])
    expect(await rows.classById('class1')).toEqual(algebra({ ...changes, version: 2 }))
    await rows.removeClass('class1')
    expect(await rows.classById('class1')).toBeNull()
  })

  test('classes come newest first', async () => {
    await rows.addClass(algebra())
    await rows.addClass(algebra({ id: 'class2', key: 'key2', createdAt: '2027-02-01T00:00:00.000Z' }))
    expect((await rows.classes()).map(({ id }) => id)).toEqual(['class2', 'class1'])
  })

  test('a student is in a class once', async () => {
    await rows.addEnrollment(enrollment())
    await expect(rows.addEnrollment(enrollment({ id: 'second' }))).rejects.toMatchObject({ name: 'Taken' })
    await rows.addEnrollment(enrollment({ id: 'third', studentId: 'cleo' }))
    expect((await rows.enrollments()).map(({ id }) => id)).toEqual(['enrollment1', 'third'])
    expect(await rows.enrollment('class1', 'ben')).toEqual(enrollment())
    await rows.removeEnrollment('enrollment1')
    expect(await rows.enrollment('class1', 'ben')).toBeNull()
  })

  test('a due reminder is claimed once, the earliest first; what is not due stays', async () => {
    await rows.addReminders([reminder(2), reminder(1), reminder(0)])
    await rows.addReminders([reminder(0, { dueAt: '2030-01-01T00:00:00.000Z' })])
    const now = '2027-03-02T09:00:00.000Z'
    expect(await rows.claimDueReminder(now)).toEqual(reminder(0, { sentAt: now }))
    const claims = await Promise.all([1, 2, 3, 4].map(() => rows.claimDueReminder(now)))
    expect(claims.filter(Boolean)).toEqual([reminder(1, { sentAt: now })])
    expect((await rows.remindersOf('ben')).map(({ sentAt }) => sentAt)).toEqual([now, now, null])
  })

  test('reminders move with their lesson unless sent, and go with their enrollment', async () => {
    await rows.addReminders([reminder(0), reminder(1, { sentAt: '2027-01-01T00:00:00.000Z' })])
    for (const number of [0, 1]) await rows.moveReminders('class1', number, '2027-05-05T09:00:00.000Z')
    expect((await rows.remindersOf('ben')).map(({ lesson: number, dueAt }) => [number, dueAt])).toEqual([
      [1, reminder(1).dueAt],
      [0, '2027-05-05T09:00:00.000Z'],
    ])
    await rows.removeReminders('enrollment1')
    expect(await rows.remindersOf('ben')).toEqual([])
  })

  test('the log comes newest first, of one user, at most so many', async () => {
    for (const eventId of ['one', 'two', 'three']) await rows.addLogEntry(logEntry(eventId))
    await rows.addLogEntry({ ...logEntry('other'), userId: 'emmy' })
    expect(await rows.logOf('ada', 2)).toEqual([logEntry('three'), logEntry('two')])
  })
})
