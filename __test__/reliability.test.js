'use strict'

const { PassThrough } = require('node:stream')
const { parseArguments } = require('../reliability/arguments')
const { WrongArguments } = require('../demo/command_line')
const { findingOfCreate, findingOfEnrollment } = require('../reliability/audit')
const { contest } = require('../reliability/contest')
const { faultsOf, PROFILES, RATES } = require('../reliability/faults')
const { figuresOf, missedGoals, percentile } = require('../reliability/figures')
const { workload } = require('../reliability/workload')

const SEED = 7
/** A machine that does other things as well. */
const SLOW_MS = 90_000

const ANSWER = { status: 201, body: { eventId: 'one', verified: true } }
const REFUSAL = { status: 502, body: {} }
const outcomeOf = (...answers) => ({
  told: answers.some(({ status }) => status < 300) ? 'success' : 'failed',
  answers,
  hung: false,
  elapsedMs: 100,
})

describe('the audit of a create', () => {
  const { steps } = workload({ seed: SEED, operations: 40, kills: 0 })
  const step = steps.find(({ kind, refusal }) => kind === 'create' && refusal === null)
  const { title, start, end, students } = step.body
  const event = (id, changes = {}) => ({
    id,
    summary: title,
    start: { dateTime: start },
    end: { dateTime: end },
    attendees: students.map((email) => ({ email })),
    ...changes,
  })
  const nothingWrong = { there: true, copies: 1, silent: false, leftOver: false, verified: true }

  test.each([
    ['one event as asked for is well', [event('one')], ANSWER, nothingWrong],
    ['a second event is a copy', [event('one'), event('two')], ANSWER, { ...nothingWrong, copies: 2 }],
    ['no event is a silent failure', [], ANSWER, { ...nothingWrong, there: false, copies: 0, silent: true }],
    [
      'another title is a silent failure',
      [event('one', { summary: 'x' })],
      ANSWER,
      { ...nothingWrong, there: false, silent: true },
    ],
    ['another event than the one told is a silent failure', [event('two')], ANSWER, { ...nothingWrong, silent: true }],
    [
      'an event of a failed create is left over',
      [event('one')],
      REFUSAL,
      { ...nothingWrong, leftOver: true, verified: false },
    ],
  ])('%s', (_what, events, answer, expected) => {
    expect(findingOfCreate(step, outcomeOf(answer), events)).toMatchObject(expected)
  })
})

describe('the audit of an enrollment', () => {
  const of = (answer, isEnrolled, invitedOn) =>
    findingOfEnrollment({ kind: 'enroll' }, outcomeOf(answer), { isEnrolled, invitedOn, events: 3 })

  test.each([
    ['a row and every invitation is well', ANSWER, true, 3, { there: true, phantom: false, silent: false }],
    ['a row without an invitation is a phantom', ANSWER, true, 2, { there: false, phantom: true, silent: true }],
    ['a phantom is one also if the student was told "failed"', REFUSAL, true, 2, { phantom: true, silent: false }],
    ['an invitation of a failed one is left over', REFUSAL, false, 1, { leftOver: true, phantom: false }],
    ['nothing of a failed one is well', REFUSAL, false, 0, { leftOver: false, phantom: false, silent: false }],
  ])('%s', (_what, answer, isEnrolled, invitedOn, expected) => {
    expect(of(answer, isEnrolled, invitedOn)).toMatchObject(expected)
  })
})

test('a failure of any kind misses the goal', () => {
  const step = { kind: 'create', refusal: null }
  const good = {
    step,
    outcome: outcomeOf(ANSWER),
    there: true,
    copies: 1,
    silent: false,
    phantom: false,
    leftOver: false,
  }
  const missed = (finding) => missedGoals(figuresOf([good, finding], { httpCalls: 2, kills: 0, cut: 0, seconds: 1 }))
  expect(missed(good)).toEqual([])
  const bad = [{ silent: true }, { copies: 2 }, { leftOver: true }, { outcome: { ...outcomeOf(ANSWER), hung: true } }]
  for (const changes of bad) expect(missed({ ...good, ...changes })).not.toEqual([])
  expect(missed({ ...good, outcome: outcomeOf(REFUSAL), there: false, copies: 0 })).toEqual(['reliable 1 of 2'])
})

test('a percentile is a value that was measured', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1)
  expect([0.5, 0.95, 0.99, 1].map((share) => percentile(hundred, share))).toEqual([50, 95, 99, 100])
  expect(percentile([3], 0.99)).toBe(3)
})

test.each(PROFILES)('the rules of the %s profile strike each operation at its rate', (profile) => {
  const left = {}
  for (const { operation, probability } of faultsOf(profile))
    left[operation] = (left[operation] ?? 1) * (1 - probability)
  expect(Object.keys(left)).toHaveLength(5)
  for (const share of Object.values(left)) expect(1 - share).toBeCloseTo(RATES[profile], 10)
})

test('a seed gives the same workload again, and has as many kills and operations as were asked for', () => {
  const options = { seed: SEED, operations: 1_000, kills: 20 }
  expect(workload(options)).toEqual(workload(options))
  const { steps, killMarks } = workload(options)
  expect([steps.length, killMarks.size]).toEqual([1_000, 20])
  expect(workload({ ...options, seed: SEED + 1 }).steps).not.toEqual(steps)
})

test.each([['--operations', 'many'], ['--profile', 'mild'], ['--only', 'nobody'], ['--sed', '1'], ['--out']])(
  'wrong arguments are told: %s %s',
  (...words) => {
    expect(() => parseArguments(words.filter(Boolean))).toThrow(WrongArguments)
  },
)

test(
  'under faults and kills surecal leaves nothing silent, double, phantom, hung or over, and the service before does',
  async () => {
    const out = new PassThrough().resume()
    const words = ['--quick', '--profile', 'harsh', '--only', 'before,surecal', '--seed', String(SEED)]
    const { results } = await contest({ ...parseArguments(words), out: null }, out)
    const [before, surecal] = results.map(({ figures }) => figures)
    expect(surecal).toMatchObject({ silent: 0, duplicates: 0, phantoms: 0, hung: 0, leftOver: 0, kills: 2 })
    expect(surecal.refusedTruthfully).toBe(surecal.refused)
    expect(before.duplicates).toBeGreaterThan(0)
    expect(before.silent).toBeGreaterThan(0)
    expect(before.phantoms).toBeGreaterThan(0)
  },
  SLOW_MS,
)
