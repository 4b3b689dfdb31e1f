'use strict'

// A school's whole year enrolls into one event: calls to Google and time. The server is the emulator, which checks ETags
// and counts who is in the event afterwards.

const { startEmulator } = require('../lib/testing')
const { emulatorPath } = require('../scripts/paths')
const { alone } = require('./alone')
const { lesson } = require('./contestants/lesson')
const { cell, goal, progress } = require('./figures')
const { startContestant } = require('./processes')

/** Round trip of an exchange: short, so that the bench is; Google's is ten times that and more. */
const LATENCY_MS = 5
const CONTESTANTS = [
  { title: 'surecal, all at once', script: 'enroll_surecal', atOnce: true },
  { title: 'surecal, one by one', script: 'enroll_surecal', atOnce: false },
  { title: 'as the guide writes it, one by one', script: 'enroll_written', atOnce: false },
  { title: 'as the guide writes it, all at once', script: 'enroll_written', atOnce: true },
]

async function measured({ title, script, atOnce }, enrollments) {
  progress(`${enrollments} enrollments into one event: ${title}`)
  const google = await startEmulator({ latencyMs: LATENCY_MS, binary: emulatorPath('release') })
  try {
    const { credentials, email } = await google.addUser('teacher@school.example')
    const contestant = await startContestant(script, google, { config: google.config, credentials })
    const eventOf = async (students) => (await google.putEvent(email, lesson(students))).id
    const students = Array.from({ length: enrollments }, (_, index) => `student${index}@school.example`)
    const enroll = async (eventId, some) =>
      contestant.ask({
        eventId,
        students: some,
        operations: some.length,
        inFlight: atOnce ? some.length : 1,
        mayFail: true,
      })
    await enroll(await eventOf(0), students.slice(0, 20))
    const eventId = await eventOf(0)
    const before = await google.counts()
    const { seconds, failed } = await enroll(eventId, students)
    const after = await google.counts()
    await contestant.close()
    const event = (await google.events(email)).find(({ id }) => id === eventId)
    const inEvent = (event.attendees ?? []).length
    return { title, seconds, failed, calls: after.requests - before.requests, inEvent }
  } finally {
    await google.close()
  }
}

async function* enrollBench({ quick }) {
  const enrollments = quick ? 60 : 500
  const found = []
  for (const contestant of CONTESTANTS) found.push(await measured(contestant, enrollments))
  const [ours, , written] = found
  yield {
    title: `${enrollments} enrollments into one event, ${LATENCY_MS} ms round trip`,
    head: ['', 'calls', 'seconds', 'told “failed”', 'in the event after'],
    rows: found.map(({ title, calls, seconds, failed, inEvent }) => [
      title,
      String(calls),
      cell(seconds, 2),
      String(failed),
      `${inEvent} of ${enrollments}`,
    ]),
    goals: [
      goal('students that surecal put into the event', ours.inEvent, enrollments, { least: true, digits: 0 }),
      goal('calls beside the guide, one by one', ours.calls / written.calls, 0.05, { digits: 3 }),
      goal('time beside the guide, one by one', ours.seconds / written.seconds, 0.05, { digits: 3 }),
    ],
  }
}

module.exports = { enrollBench }

if (require.main === module) alone(enrollBench)
