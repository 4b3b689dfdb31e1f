'use strict'

const { spawn, spawnSync } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const { PassThrough } = require('node:stream')
const { startEmulator } = require('../lib/testing')
const { parseArguments } = require('../demo/arguments')
const { WrongArguments } = require('../demo/command_line')
const { audit, exitCodeOf, isPerfect } = require('../demo/audit')
const { faultsFor } = require('../demo/faults')
const { contest } = require('../demo/contest')
const { courses } = require('../demo/courses')
const { school } = require('../demo/school')
const { isTokenFailure } = require('../demo/token_failures')
const { table, inkFor } = require('../demo/table')

const ROOT = path.join(__dirname, '..')
const SEED = 7
const FEW = 6
/** A machine that does other things as well. */
const SLOW_MS = 60_000

const eventOf = ({ title, start, end, students }, changes = {}) => ({
  summary: title,
  start: { dateTime: start },
  end: { dateTime: end },
  attendees: students.map((email) => ({ email })),
  ...changes,
})
const created = (eventId) => ({ success: true, eventId, message: null, tokenFailure: false, elapsedMs: 100 })
const failed = { success: false, eventId: null, message: 'no', tokenFailure: false, elapsedMs: 200 }

let google
beforeAll(async () => {
  google = await startEmulator()
})
afterAll(() => google?.close())

describe('the audit', () => {
  const [lesson] = school(SEED, 1)

  beforeEach(async () => {
    await google.reset()
    await google.addUser({ email: lesson.teacher, timeZone: lesson.timeZone })
  })

  const put = (changes) => google.putEvent(lesson.teacher, eventOf(lesson.form, changes))
  const counts = async (answers) => {
    const { liveRight, duplicates, silent, leftOver, repeatedBlindly } = await audit(
      google,
      { lessons: [lesson], courses: [] },
      { classes: [answers], enrollments: [] },
    )
    return { liveRight, duplicates, silent, leftOver, repeatedBlindly }
  }
  const perfect = { liveRight: 1, duplicates: 0, silent: 0, leftOver: 0, repeatedBlindly: 0 }

  test('an event as asked for, named by both answers, is perfect', async () => {
    const { id } = await put()
    expect(await counts([created(id), created(id)])).toEqual(perfect)
  })

  test('an event planted by hand is a duplicate, right or wrong', async () => {
    const { id } = await put()
    await put()
    await put({ summary: 'something else' })
    expect(await counts([created(id), created(id)])).toEqual({ ...perfect, duplicates: 2, repeatedBlindly: 1 })
  })

  test('a cancelled event is no event', async () => {
    const { id } = await put()
    await google.ownerDelete(lesson.teacher, (await put()).id)
    expect(await counts([created(id), created(id)])).toEqual(perfect)
  })

  test('an answer "created" for an event that is not there is a silent failure, each time', async () => {
    expect(await counts([created('gone12'), created('gone12')])).toEqual({ ...perfect, liveRight: 0, silent: 2 })
  })

  test.each([
    ['title', { summary: 'garbled' }],
    ['start', { start: { dateTime: '2027-01-01T00:00:00Z' } }],
    ['end', { end: { dateTime: '2029-01-01T00:00:00Z' } }],
    ['guests', { attendees: [] }],
  ])('an answer "created" for an event whose %s is wrong is a silent failure', async (_what, changes) => {
    const { id } = await put(changes)
    expect(await counts([created(id), created(id)])).toEqual({ ...perfect, liveRight: 0, silent: 2 })
  })

  test('an answer that names no event is silent only if there is no event as asked for', async () => {
    expect(await counts([created(null), failed])).toEqual({ ...perfect, liveRight: 0, silent: 1 })
    await put()
    expect(await counts([created(null), failed])).toEqual(perfect)
  })

  test('an event of which every answer said "failed" is left over', async () => {
    await put()
    expect(await counts([failed, failed, failed])).toEqual({ ...perfect, leftOver: 1 })
    expect(await counts([failed, created(null), failed])).toEqual(perfect)
  })

  test('a class that was told "failed" and is not there is not live, and nothing else', async () => {
    expect(await counts([failed, failed, failed])).toEqual({ ...perfect, liveRight: 0 })
  })
})

describe('the audit of enrollments', () => {
  const [course] = courses(SEED, 1)
  const [student] = course.students

  beforeEach(async () => {
    await google.reset()
    await google.addUser(course.teacher)
  })

  /** The student is as often on each lesson as `places` says, and was told `answers`. */
  const counts = async (places, answers) => {
    for (const [index, lesson] of course.lessons.entries()) {
      const attendees = Array.from({ length: places[index] }, () => ({ email: student.email }))
      await google.putEvent(course.teacher, { ...lesson, attendees })
    }
    const only = { ...course, students: [student] }
    const totals = await audit(google, { lessons: [], courses: [only] }, { classes: [], enrollments: [[answers]] })
    const { enrolledRight, halfEnrolled, lost, phantom, tokenFailures } = totals
    return { enrolledRight, halfEnrolled, lost, phantom, tokenFailures }
  }
  const right = { enrolledRight: 1, halfEnrolled: 0, lost: 0, phantom: 0, tokenFailures: 0 }
  const wrong = { ...right, enrolledRight: 0 }

  test.each([
    ['"enrolled", and on all', [1, 1, 1], [created(null)], right],
    ['"failed" first and "enrolled" then, and on all', [1, 1, 1], [failed, created(null)], right],
    ['"failed", and on none', [0, 0, 0], [failed, failed], right],
    ['"enrolled", and missing on one', [1, 0, 1], [created(null)], { ...wrong, halfEnrolled: 1, lost: 1 }],
    ['"enrolled", and on none', [0, 0, 0], [created(null)], { ...wrong, lost: 1 }],
    ['"enrolled", and on one twice', [1, 2, 1], [created(null)], { ...wrong, halfEnrolled: 1, lost: 1 }],
    ['"failed", and on one', [0, 0, 1], [failed, failed], { ...wrong, halfEnrolled: 1, phantom: 1 }],
    ['"failed", and on all', [1, 1, 1], [failed, failed], { ...wrong, phantom: 1 }],
    ['"failed" for want of a token', [0, 0, 0], [{ ...failed, tokenFailure: true }], { ...right, tokenFailures: 1 }],
  ])('told %s', async (_what, places, answers, expected) => {
    expect(await counts(places, answers)).toEqual(expected)
  })
})

describe('a token failure', () => {
  test.each([
    ['surecal’s, of a dead grant', { code: 'GOOGLE_AUTH_REQUIRED' }, true],
    ['surecal’s, of a token endpoint that is down', { code: 'GOOGLE_AUTH_FAILED' }, true],
    ['a 401 of Google’s', { status: 401, config: { url: 'http://127.0.0.1/calendar/v3' } }, true],
    ['whatever the token endpoint answered', { status: 503, config: { url: new URL('http://127.0.0.1/token') } }, true],
    ['and no other error', { status: 503, config: { url: 'http://127.0.0.1/calendar/v3' } }, false],
    ['nor one without fields', {}, false],
  ])('is %s', (_what, error, expected) => {
    expect(isTokenFailure(error)).toBe(expected)
  })
})

describe('the verdict', () => {
  const classes = { asked: 3, liveRight: 3, duplicates: 0, silent: 0, leftOver: 0 }
  const good = { ...classes, students: 6, enrolledRight: 6, halfEnrolled: 0, tokenFailures: 0 }
  const before = { ...good, duplicates: 1 }

  test('is success when surecal was perfect and the old service made a duplicate', () => {
    expect(exitCodeOf({ before, surecal: good })).toBe(0)
  })

  test.each([
    { liveRight: 2 },
    { duplicates: 1 },
    { silent: 1 },
    { leftOver: 1 },
    { enrolledRight: 5 },
    { tokenFailures: 1 },
  ])('is failure with %j', (flaw) => {
    expect(isPerfect({ ...good, ...flaw })).toBe(false)
    expect(exitCodeOf({ before, surecal: { ...good, ...flaw } })).toBe(1)
  })

  test('is failure when the old service made no duplicate, for then nothing was shown', () => {
    expect(exitCodeOf({ before: good, surecal: good })).toBe(1)
  })
})

describe('the seed', () => {
  test('fixes the classes and the faults, and another seed gives others', () => {
    expect(school(SEED, 12)).toEqual(school(SEED, 12))
    expect(school(SEED, 12)).not.toEqual(school(SEED + 1, 12))
    const faults = (seed) => faultsFor(seed, school(SEED, 12))
    expect(faults(SEED)).toEqual(faults(SEED))
    expect(faults(SEED)).not.toEqual(faults(SEED + 1))
  })

  test('or no seed: each kind of fault has its turn at a first insert', () => {
    const first = faultsFor(SEED, school(SEED, 60)).filter(
      ({ operation, nth }) => operation === 'events.insert' && nth === 1,
    )
    const kinds = new Set(first.map(({ fault }) => fault.kind))
    const all = 'reset hang status html truncate drip late corrupt drop delayedVisibility'.split(' ')
    expect([...kinds].sort()).toEqual(all.sort())
  })
})

describe('the arguments', () => {
  test('are a seed and a number of classes', () => {
    expect(parseArguments(['--seed', '42', '--classes=3'])).toEqual({ help: false, seed: 42, classes: 3, open: false })
    expect(parseArguments([])).toMatchObject({ help: false, classes: 60 })
    expect(parseArguments(['--open'])).toMatchObject({ open: true })
    expect(parseArguments(['--help'])).toEqual({ help: true })
  })

  test.each([['--sed'], ['42'], ['--seed'], ['--seed', 'x'], ['--seed=-1'], ['--classes', '0'], ['--seed', '1e3']])(
    'are refused with the usage when they are %s %s',
    (...words) => {
      expect(() => parseArguments(words)).toThrow(WrongArguments)
      expect(() => parseArguments(words)).toThrow(/usage: npm run demo/)
    },
  )
})

describe('the table', () => {
  const classes = { asked: 60, liveRight: 60, duplicates: 0, silent: 0, leftOver: 0, slowestMs: 1234 }
  const audited = { ...classes, students: 120, enrolledRight: 120, halfEnrolled: 0, tokenFailures: 0 }

  test('is at most 100 columns wide, and has no colours where there is no terminal', () => {
    const text = table({ before: audited, surecal: audited }, inkFor(new PassThrough()))
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
    // eslint-disable-next-line no-control-regex -- it is the escape character that must not be there
    expect(text).not.toMatch(/\x1b/)
  })
})

describe('the demo', () => {
  test(
    'as a program: says the seed, prints both columns, keeps the dashboard up until Ctrl-C, ends with 0',
    async () => {
      const args = [path.join(ROOT, 'demo', 'run.js'), '--seed', String(SEED), '--classes', String(FEW), '--open']
      const child = spawn(process.execPath, args)
      const said = { stdout: '', stderr: '' }
      child.stderr.setEncoding('utf8').on('data', (piece) => {
        said.stderr += piece
      })
      try {
        for await (const piece of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
          said.stdout += piece
          if (said.stdout.includes('until Ctrl-C')) break
        }
        child.stdout.resume()
        const [, dashboard] = /stays at (\S+) until Ctrl-C/.exec(said.stdout)
        const { metrics } = await (await fetch(`${dashboard}?figures`)).json()
        expect(metrics.operations.createEvent.succeeded).toBeGreaterThanOrEqual(FEW)
        expect(metrics.operations.enroll.succeeded).toBeGreaterThanOrEqual(1)
        expect(metrics.tokens.refreshed).toBeGreaterThanOrEqual(1)
        const gone = once(child, 'exit')
        child.kill('SIGINT')
        expect(await gone).toEqual([0, null])
        await expect(fetch(dashboard)).rejects.toThrow()
      } finally {
        child.kill('SIGKILL')
      }
      const { stdout, stderr } = said
      expect(stderr).toBe('')
      expect(stdout).toContain(`npm run demo -- --seed ${SEED}`)
      expect(stdout).toMatch(/classes asked for .* 6 +6\n/)
      expect(stdout).toMatch(/live right .* 6\n/)
      expect(stdout).toMatch(/duplicates .* [1-9]\d* +0\n/)
      expect(stdout).toMatch(/students enrolling .* 12 +12\n/)
      expect(stdout).toMatch(/half enrolled .* [1-9]\d* +0\n/)
      expect(stdout).toMatch(/token failures .* 0\n/)
      expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
    },
    SLOW_MS,
  )

  test('as a program: a wrong argument is told at once, before anything is built, with exit code 2', () => {
    const env = { ...process.env, PATH: '' }
    const args = [path.join(ROOT, 'scripts', 'demo.js'), '--sede', '1']
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env })
    expect(status).toBe(2)
    expect(stderr).toMatch(/does not know "--sede"[^]*usage/)
  })

  test(
    'ends with 1 when a duplicate was planted behind surecal, and shows the evidence',
    async () => {
      const out = new PassThrough()
      let text = ''
      out.setEncoding('utf8').on('data', (piece) => {
        text += piece
      })
      let planted
      const code = await contest({
        seed: SEED,
        classes: FEW,
        out,
        beforeAudit: async ({ surecal }, { lessons: [{ teacher, form }] }) => {
          planted = await surecal.putEvent(teacher, eventOf(form))
        },
      })
      expect(code).toBe(1)
      expect(text).toMatch(/duplicates .* 1\n/)
      expect(text).toContain(`live ${planted.id}`)
      expect(text).toMatch(/events\.insert .* committed/)
    },
    SLOW_MS,
  )
})
