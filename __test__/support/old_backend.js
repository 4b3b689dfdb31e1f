'use strict'

// A backend of the old kind in a folder of its own, to be changed by the steps of MIGRATION.md.

const { execFile } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { promisify } = require('node:util')
const { ROOT } = require('./migration_guide')

const OLD = path.join(__dirname, '..', 'fixtures', 'old_backend')
const DAY = path.join(__dirname, '..', 'fixtures', 'old_backend_day.js')

/** The folder; the backend is in `backend/`, and can require what this project can, and surecal. */
function copyOldBackend() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'surecal-'))
  fs.cpSync(OLD, path.join(folder, 'backend'), { recursive: true })
  const modules = path.join(folder, 'node_modules')
  fs.mkdirSync(modules)
  for (const name of fs.readdirSync(path.join(ROOT, 'node_modules'))) {
    if (name !== 'surecal') fs.symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name))
  }
  fs.symlinkSync(ROOT, path.join(modules, 'surecal'))
  return folder
}

/**
 * A day in the backend as its files are now: what was answered to each teacher, and what is in each one's calendar.
 *
 * @param {object} stage
 * @param {string} folder
 * @param {object[]} teachers
 */
async function dayOf(stage, folder, teachers, { live = [], env = {} } = {}) {
  const { rootUrl, tokenUrl, clientId, clientSecret } = stage.google.config
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [DAY, JSON.stringify({ folder: path.join(folder, 'backend'), teachers, live })],
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
  const calendars = await Promise.all(teachers.map((teacher) => stage.live(teacher)))
  return { ...JSON.parse(stdout), calendars }
}

/** Which service made an event: surecal's carry its mark. */
const madeBySurecal = (event) => event.extendedProperties?.private?.surecalPrint !== undefined

/** What the day leaves in a calendar, whoever kept it. */
const entriesOf = (events) =>
  events
    .map(({ summary, start, attendees = [] }) => [
      summary,
      start.dateTime.slice(0, 10),
      attendees.map(({ email }) => email),
    ])
    .sort()

const ok = (status, body = {}) => [status, { status: 'success', ...body }]
const created = expect.stringMatching(/^id\d+$/)
const enrolled = [200, { success: true }]

/** What each teacher is answered on that day, and finds in the calendar. */
const ANSWERS = {
  first: ok(201, { classId: created }),
  second: ok(201, { classId: created }),
  other: ok(201, { classId: created }),
  update: ok(200),
  enroll: enrolled,
  enrollGuest: enrolled,
  leave: ok(200),
  remove: ok(200),
}
const ENTRIES = [
  ['Geometry', '2027-07-01', ['student@school.test']],
  ['Geometry', '2027-07-08', ['student@school.test']],
]

module.exports = { OLD, ANSWERS, ENTRIES, copyOldBackend, dayOf, entriesOf, madeBySurecal }
