'use strict'

const { seeded } = require('./seeded')

// What goes wrong is drawn for each class, by its calendar: "the 2nd insert into this calendar gets this". So both
// services meet the same faults at the same calls, however many they make and in whatever order classes come.
//
// A fault either answers well within EXCHANGE_LIMIT_MS or never: to shorten the limit makes the demo quicker, and
// turns no slow answer into a lost one.

/** The request is lost, or refused. */
const BEFORE = [
  { kind: 'reset', when: 'before' },
  { kind: 'hang', when: 'before' },
  { kind: 'status', when: 'before', status: 429, retryAfterSeconds: 1 },
  { kind: 'status', when: 'before', status: 429 },
  { kind: 'status', when: 'before', status: 403, reason: 'rateLimitExceeded' },
  { kind: 'status', when: 'before', status: 503 },
  { kind: 'html', when: 'before' },
]
/** The write is done and its answer lost, spoilt or slow; `late` is done after its sender has given up. */
const AFTER = [
  { kind: 'reset', when: 'after' },
  { kind: 'hang', when: 'after' },
  { kind: 'status', when: 'after', status: 500 },
  { kind: 'status', when: 'after', status: 503 },
  { kind: 'truncate', when: 'after' },
  { kind: 'html', when: 'after' },
  { kind: 'drip', when: 'after', everyMs: 20, chunkBytes: 64 },
  { kind: 'late', afterMs: 2_000 },
]
/** Of a read, all the same: nothing is done. `stale` shows what was before the last write. */
const READS = [
  ...BEFORE,
  { kind: 'truncate', when: 'after' },
  { kind: 'drip', when: 'after', everyMs: 20, chunkBytes: 64 },
  { kind: 'stale', ms: 500 },
]

/** Stored wrongly, and answered as if all were well. */
const corruptions = ({ start, end }) => [
  { kind: 'corrupt' },
  { kind: 'corrupt', fields: { attendees: null } },
  { kind: 'corrupt', fields: { start: anHourLate(start), end: anHourLate(end) } },
]

const anHourLate = (time) => ({ dateTime: new Date(Date.parse(time) + 3_600_000).toISOString() })

const ofInsert = (form) => [
  ...BEFORE,
  ...AFTER,
  ...corruptions(form),
  { kind: 'drop' },
  { kind: 'delayedVisibility', ms: 700 },
]
const OF_PATCH = [...BEFORE, ...AFTER, { kind: 'precondition' }, { kind: 'drop' }]
const OF_DELETE = [
  ...BEFORE,
  ...AFTER.filter(({ kind }) => kind !== 'truncate' && kind !== 'drip'),
  { kind: 'precondition' },
  { kind: 'drop' },
]

/** One class of this many lives through a storm: for a while every reply to an insert is lost. */
const STORM_EVERY = 12
const stormsAmong = (classes) => Math.ceil(classes / STORM_EVERY)
const STORM_INSERTS = 14
const STORM_READS = 2
const STORM = AFTER.filter(({ kind }) => kind !== 'drip' && kind !== 'late' && kind !== 'html')

/** How many calls of each operation may be struck, and how likely each is. The first insert is dealt, see below. */
const LATER = [
  { operation: 'events.insert', from: 2, to: 6, probability: 0.25 },
  { operation: 'events.get', from: 1, to: 6, probability: 0.2 },
  { operation: 'events.patch', from: 1, to: 4, probability: 0.2 },
  { operation: 'events.delete', from: 1, to: 4, probability: 0.2 },
]

const kindsOf = (operation, form) =>
  operation === 'events.insert'
    ? ofInsert(form)
    : { 'events.get': READS, 'events.patch': OF_PATCH, 'events.delete': OF_DELETE }[operation]

/**
 * The rules for the emulator. Every second class has a fault at its first insert, dealt like cards so that each kind
 * has its turn; later calls meet some by chance.
 *
 * @param {number} seed
 * @param {ReturnType<import('./school').school>} classes
 */
function faultsFor(seed, classes) {
  const dealer = seeded(seed, 'dealer')
  const storms = dealer.shuffled(classes.map((_, index) => index % STORM_EVERY === 0))
  const struck = dealer.shuffled(classes.map((_, index) => index % 2 === 0))
  const deck = dealer.shuffled(ofInsert(classes[0].form).map((_, index) => index))
  let dealt = 0
  return classes.flatMap(({ teacher, form }, index) => {
    const chance = seeded(seed, `faults ${index}`)
    const rule = (operation, nth, fault) => ({ operation, match: { calendarId: teacher }, nth, fault })
    if (storms[index]) {
      return [
        ...range(1, STORM_INSERTS).map((nth) => rule('events.insert', nth, chance.pick(STORM))),
        ...range(1, STORM_READS).map((nth) => rule('events.get', nth, chance.pick(BEFORE))),
      ]
    }
    const first = struck[index] ? [rule('events.insert', 1, ofInsert(form)[deck[dealt++ % deck.length]])] : []
    const later = LATER.flatMap(({ operation, from, to, probability }) =>
      range(from, to)
        .filter(() => chance.happens(probability))
        .map((nth) => rule(operation, nth, chance.pick(kindsOf(operation, form)))),
    )
    return [...first, ...later]
  })
}

/** Every fifth course has a lesson that takes nobody: its students must hear so, and be on none of the others. */
const FULL_EVERY = 5
const coursesWithFullLesson = (courses) => Math.floor(courses.length / FULL_EVERY)

/** How many reads and writes of each lesson may be struck, and how likely each is. */
const OF_LESSONS = { calls: 8, probability: 0.12 }

/** At the token endpoint, as often as the deck has it: nothing goes wrong, or the answer is an error, garbage or none. */
const OF_TOKENS = [
  null,
  { kind: 'status', when: 'before', status: 503 },
  { kind: 'reset', when: 'before' },
  null,
  { kind: 'html', when: 'before' },
  { kind: 'reset', when: 'after' },
  { kind: 'truncate', when: 'after' },
]

/**
 * The rules for lessons that students enroll on.
 *
 * @param {number} seed
 * @param {ReturnType<import('./courses').courses>} courses
 */
function courseFaultsFor(seed, courses) {
  const full = seeded(seed, 'full').shuffled(courses.map((_, index) => index % FULL_EVERY === FULL_EVERY - 1))
  return courses.flatMap(({ teacher, lessons }, index) => {
    const chance = seeded(seed, `course faults ${index}`)
    const rule = (operation, eventId, more) => ({ operation, match: { calendarId: teacher, eventId }, ...more })
    const refusal = { fault: { kind: 'status', status: 403, reason: 'forbidden' } }
    const refusing = full[index] ? [rule('events.patch', lessons.at(-1).id, refusal)] : []
    const struck = lessons.flatMap(({ id }) =>
      ['events.get', 'events.patch'].flatMap((operation) =>
        range(1, OF_LESSONS.calls)
          .filter(() => chance.happens(OF_LESSONS.probability))
          .map((nth) => rule(operation, id, { nth, fault: chance.pick(kindsOf(operation)) })),
      ),
    )
    return [...refusing, ...struck]
  })
}

/** The rules for the first refresh of each teacher's token. */
function tokenFaultsFor(seed, teachers) {
  const deck = seeded(seed, 'tokens').shuffled(teachers.map((_, index) => OF_TOKENS[index % OF_TOKENS.length]))
  return teachers
    .map((user, index) => ({ operation: 'oauth.token', match: { user }, nth: 1, fault: deck[index] }))
    .filter(({ fault }) => fault !== null)
}

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

module.exports = { faultsFor, courseFaultsFor, tokenFaultsFor, stormsAmong, coursesWithFullLesson }
