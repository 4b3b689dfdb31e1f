'use strict'

// MIGRATION.md, followed to the letter: over a backend of the old kind, after each step, the same requests get the same
// answers and leave the same calendar.

const fs = require('node:fs')
const path = require('node:path')
const { setStage } = require('./support/stage')
const { OLD, ANSWERS, ENTRIES, copyOldBackend, dayOf, entriesOf, madeBySurecal } = require('./support/old_backend')
const { ROOT, blocks, steps, applyStep } = require('./support/migration_guide')

const stage = setStage({ seed: 613 })

/** Files of the old backend that the guide says nothing of changing; all others it must name. */
const UNTOUCHED = ['app.js', 'models', 'controllers', 'routes']

let folder
beforeAll(() => {
  folder = copyOldBackend()
})
afterAll(() => fs.rmSync(folder, { recursive: true }))

/** A day in the backend as its files are now; what was answered, and what is in the calendar. */
async function day(options) {
  const { answers, calendars, classes, told, shadow } = await dayOf(stage, folder, [await stage.user()], options)
  const [events] = calendars
  const bySurecal = events.filter(madeBySurecal).length
  return { answers: answers[0], classes, calendar: entriesOf(events), told, shadow, bySurecal }
}

// The repetition made none.
const EXPECTED = { answers: ANSWERS, classes: 2, calendar: ENTRIES }

/** Of createEvent, updateEvent and deleteEvent, after each snippet of a step. */
const SWITCHES = {
  'Step 2': [['shadow', 'shadow', 'shadow']],
  'Step 3': [
    [{ share: 0.1, shadow: true }, 0.1, 0.1],
    [true, true, true],
    [false, false, false],
    [false, false, 0.2],
  ],
}

test('before the first step the old backend answers as it should', async () => {
  expect(await day()).toMatchObject({ ...EXPECTED, bySurecal: 0 })
})

// In order: each goes on from the files of the one before.
describe.each(steps)('$title', (step) => {
  const live = step.blocks.filter(({ marks }) => 'live' in marks).map((block) => block.text)

  test('the same requests get the same answers and leave the same calendar', async () => {
    applyStep(folder, step)
    const { bySurecal, ...rest } = await day()
    expect(rest).toMatchObject(EXPECTED)
    expect(bySurecal).toBe(step.title.startsWith('Step 8') ? 2 : 0)
  })

  if (live.length === 0) return
  test.each(live.map((text, index) => [text.trim().split('\n')[0], index]))('also after %s', async (_line, index) => {
    const env = { CALENDAR_SWITCHES: '{"deleteEvent":0.2}' }
    const { told, bySurecal, shadow, ...rest } = await day({ live: live.slice(0, index + 1), env })
    expect(rest).toMatchObject(EXPECTED)
    const { createEvent, updateEvent, deleteEvent } = told.at(-1)
    expect([createEvent, updateEvent, deleteEvent]).toEqual(SWITCHES[step.title.slice(0, 6)][index])
    // Two classes of two events are made; one is updated, the other deleted.
    if (createEvent === 'shadow') {
      const looks = { createEvent: { confirmed: 4 }, updateEvent: { confirmed: 2 }, deleteEvent: { confirmed: 2 } }
      expect(withoutOvertaken(shadow)).toEqual(looks)
    }
    if (typeof createEvent !== 'number' && !createEvent.share) expect(bySurecal).toBe(createEvent === true ? 2 : 0)
  })
})

/** On a busy machine, a look may come after the next write: that is no finding. */
function withoutOvertaken(shadow) {
  const sums = Object.entries(shadow).map(([method, { confirmed = 0, overtaken = 0 }]) => [
    method,
    { confirmed: confirmed + overtaken },
  ])
  return Object.fromEntries(sums)
}

test('every JavaScript block is a file, or runs in the backend, or is a rollback; every file of the old backend has its row', () => {
  const unmarked = blocks.filter(({ language, marks }) => {
    return language === 'js' && !('file' in marks || 'live' in marks || 'rollback' in marks)
  })
  expect(unmarked).toEqual([])
  const guide = fs.readFileSync(path.join(ROOT, 'MIGRATION.md'), 'utf8')
  const files = fs
    .readdirSync(OLD, { recursive: true })
    .filter((file) => file.endsWith('.js') && !UNTOUCHED.includes(file.split(path.sep)[0]))
  expect(files.length).toBeGreaterThan(5)
  for (const file of files) expect([file, guide.includes(`\`${file}\``)]).toEqual([file, true])
})
