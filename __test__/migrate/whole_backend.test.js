'use strict'

// A whole backend of the old kind, whose teachers all have their day at once: classes are made (and asked for twice), renamed,
// joined, left and deleted. Once as it is, and then with surecal behind `migrate`, at 0, 50 and 100 per cent of every
// method. Its call sites are the same files all the time.

const fs = require('node:fs')
const path = require('node:path')
const { ANSWERS, ENTRIES, OLD, copyOldBackend, dayOf, entriesOf, madeBySurecal } = require('../support/old_backend')
const { steps, applyStep } = require('../support/migration_guide')
const { setStage } = require('../support/stage')

const stage = setStage({ seed: 616 })
const TEACHERS = 8
/** What one teacher's day asks of a calendar service. Of the two classes, each of two events, one is asked for twice. */
const CALLS = { createEvent: 4, updateEvent: 2, addAttendeeToEvent: 4, removeAttendeeFromEvent: 2, deleteEvent: 2 }

let folder
beforeAll(() => {
  folder = copyOldBackend()
})
afterAll(() => fs.rmSync(folder, { recursive: true }))

/** Files that are not, byte for byte, what they were in the old backend. */
const changed = () =>
  fs
    .readdirSync(OLD, { recursive: true })
    .filter((file) => fs.statSync(path.join(OLD, file)).isFile())
    .filter(
      (file) => !fs.readFileSync(path.join(OLD, file)).equals(fs.readFileSync(path.join(folder, 'backend', file))),
    )

async function aDay(options) {
  const teachers = await Promise.all(Array.from({ length: TEACHERS }, () => stage.user()))
  const { answers, calendars, classes, bySurecal } = await dayOf(stage, folder, teachers, options)
  expect(answers).toEqual(teachers.map(() => ANSWERS))
  expect(calendars.map(entriesOf)).toEqual(teachers.map(() => ENTRIES))
  expect(classes).toBe(2 * TEACHERS)
  return { calendars, bySurecal }
}

test('with the old service alone', async () => {
  await aDay()
  expect(changed()).toEqual([])
})

describe('with both behind migrate', () => {
  beforeAll(() => steps.slice(0, 2).forEach((step) => applyStep(folder, step)))

  test.each([
    ['0 per cent', 0],
    ['50 per cent', 0.5],
    ['100 per cent', 1],
  ])('at %s', async (_words, share) => {
    const { calendars, bySurecal } = await aDay({ live: [`GoogleCalendarService.set({ '*': ${share} })`] })
    // Where they get the service from is the one file that changed.
    expect(changed()).toEqual([path.join('services', 'calendar', 'googleCalendarService.js')])

    // A teacher has one service for all classes.
    const sides = calendars.map((events) => events.filter(madeBySurecal).length / ENTRIES.length)
    const moved = sides.filter((side) => side === 1).length
    expect(sides.filter((side) => side === 0)).toHaveLength(TEACHERS - moved)
    for (const [method, calls] of Object.entries(CALLS)) {
      const count = bySurecal[method] ?? 0
      const all = calls * TEACHERS
      expect([method, count > 0, count === all]).toEqual([method, share > 0, share === 1])
    }
    expect([moved > 0, moved === TEACHERS]).toEqual([share > 0, share === 1])
    expect(bySurecal.createEvent ?? 0).toBe(CALLS.createEvent * moved)
  })
})
