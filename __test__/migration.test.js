'use strict'

// MIGRATION.md, followed to the letter: over a backend of the old kind, after each step, the same requests get the same
// answers and leave the same calendar.

const { execFile } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { promisify } = require('node:util')
const { setStage } = require('./support/stage')
const { ROOT, blocks, steps, applyStep } = require('./support/migration_guide')

const stage = setStage({ seed: 613 })
const OLD = path.join(__dirname, 'fixtures', 'old_backend')
const DAY = path.join(__dirname, 'fixtures', 'old_backend_day.js')

/** Files of the old backend that the guide says nothing of changing; all others it must name. */
const UNTOUCHED = ['app.js', 'models', 'controllers', 'routes']

let folder
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'surecal-'))
  fs.cpSync(OLD, path.join(folder, 'backend'), { recursive: true })
  fs.mkdirSync(path.join(folder, 'node_modules'))
  for (const name of fs.readdirSync(path.join(ROOT, 'node_modules'))) {
    if (name !== 'surecal')
      fs.symlinkSync(path.join(ROOT, 'node_modules', name), path.join(folder, 'node_modules', name))
  }
  fs.symlinkSync(ROOT, path.join(folder, 'node_modules', 'surecal'))
})
afterAll(() => fs.rmSync(folder, { recursive: true }))

/** A day in the backend as its files are now; what was answered, and what is in the calendar. */
async function day({ live = [], env = {} } = {}) {
  const teacher = await stage.user()
  const { rootUrl, tokenUrl, clientId, clientSecret } = stage.google.config
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [DAY, JSON.stringify({ folder: path.join(folder, 'backend'), teacher, live })],
    {
      env: {
        ...process.env,
        GOOGLE_ROOT_URL: rootUrl,
        GOOGLE_TOKEN_URL: tokenUrl,
        GOOGLE_CLIENT_ID: clientId,
        GOOGLE_CLIENT_SECRET: clientSecret,
        GOOGLE_REDIRECT_URI: 'http://127.0.0.1/callback',
        ...env,
      },
      timeout: 25000,
    },
  )
  const { told, shadow, ...answered } = JSON.parse(stdout)
  const events = await stage.live(teacher)
  const calendar = events.map(({ summary, start, attendees = [] }) => [
    summary,
    start.dateTime.slice(0, 10),
    attendees.map(({ email }) => email),
  ])
  const bySurecal = events.filter((event) => event.extendedProperties?.private?.surecalPrint).length
  return { ...answered, calendar: calendar.sort(), told, shadow, bySurecal }
}

const ok = (status, body = {}) => [status, { status: 'success', ...body }]
const created = expect.stringMatching(/^id\d$/)
const STUDENT = ['student@school.test']

const EXPECTED = {
  answers: {
    first: ok(201, { classId: created }),
    second: ok(201, { classId: created }),
    other: ok(201, { classId: created }),
    update: ok(200),
    enroll: [200, { success: true }],
    remove: ok(200),
  },
  // The repetition made none.
  classes: 2,
  calendar: [
    ['Geometry', '2027-07-01', STUDENT],
    ['Geometry', '2027-07-08', STUDENT],
  ],
}

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
