'use strict'

// The table of requests in docs/calendar.md, counted where Google counts: at the server.

const fs = require('node:fs')
const path = require('node:path')
const { lesson } = require('./support/lessons')
const { setStage } = require('./support/stage')

const stage = setStage()
const text = fs.readFileSync(path.join(__dirname, '..', 'docs', 'calendar.md'), 'utf8')
const rows = [
  ...text
    .split('\n## Quota\n')[1]
    .split('\n## ')[0]
    .matchAll(/^\| (`.*?) \| (\d+): (.*?) \| (\d+) \|$/gm),
]
const told = new Map(rows.map(([, call, requests, kinds, units]) => [call, [Number(requests), kinds, Number(units)]]))

const made = async ({ service, who }) => (await service.createEvent(...who, lesson())).eventId
const added = async (scene) => {
  const eventId = await made(scene)
  await scene.service.addAttendeeToEvent(eventId, 'carl@pupil.test', scene.whose)
  return eventId
}

/** What each row of the table does: what comes before is not counted. */
const CALLS = {
  '`createEvent`': { call: ({ service, who }) => service.createEvent(...who, lesson()) },
  '`createEvent`, repeated with its key': {
    before: ({ service, who }) => service.createEvent(...who, lesson(), { idempotencyKey: 'k' }),
    call: ({ service, who }) => service.createEvent(...who, lesson(), { idempotencyKey: 'k' }),
  },
  '`createEvent`, `skipVerification`': {
    call: ({ service, who }) => service.createEvent(...who, lesson(), { skipVerification: true }),
  },
  '`createEvents` of 5': {
    call: ({ service, who }) =>
      service.createEvents(
        ...who,
        Array.from({ length: 5 }, () => lesson()),
      ),
  },
  '`verifyEvent`': { before: made, call: ({ service, who }, id) => service.verifyEvent(...who, id, lesson()) },
  '`getEvent`': { before: made, call: ({ service, who }, id) => service.getEvent(...who, id) },
  '`listEvents`, each page': {
    async call({ service, who }) {
      for await (const _event of service.listEvents(...who));
    },
  },
  '`updateEvent`': {
    before: made,
    call: ({ service, who }, id) => service.updateEvent(...who, id, { summary: 'New' }),
  },
  '`updateEvent`, nothing to change': {
    before: made,
    call: ({ service, who }, id) => service.updateEvent(...who, id, { summary: lesson().summary }),
  },
  '`updateEvent`, `skipVerification`': {
    before: made,
    call: ({ service, who }, id) => service.updateEvent(...who, id, { summary: 'New' }, { skipVerification: true }),
  },
  '`deleteEvent`': { before: made, call: ({ service, who }, id) => service.deleteEvent(...who, id) },
  '`deleteEvent`, gone before': {
    async before(scene) {
      const id = await made(scene)
      await scene.service.deleteEvent(...scene.who, id)
      return id
    },
    call: ({ service, who }, id) => service.deleteEvent(...who, id),
  },
  '`addAttendeeToEvent`': {
    before: made,
    call: ({ service, whose }, id) => service.addAttendeeToEvent(id, 'carl@pupil.test', whose),
  },
  '`addAttendeeToEvent`, already there': {
    before: added,
    call: ({ service, whose }, id) => service.addAttendeeToEvent(id, 'carl@pupil.test', whose),
  },
  '`removeAttendeeFromEvent`': {
    before: added,
    call: ({ service, whose }, id) => service.removeAttendeeFromEvent(id, 'carl@pupil.test', whose),
  },
  '`enroll`, for each event': {
    before: made,
    call: ({ service, whose }, id) => service.enroll({ ...whose, events: [id], attendee: 'carl@pupil.test' }),
  },
}

/** `get, patch, get`, as the table writes it: many of a kind, in whatever order they came, are `5 × insert, 5 × get`. */
function written(operations) {
  const names = operations.map((name) => name.replace('events.', ''))
  if (names.length <= 3) return names.join(', ')
  return [...new Set(names)].map((name) => `${names.filter((each) => each === name).length} × ${name}`).join(', ')
}

test('the table has a row for each call that is counted, and no other', () => {
  expect([...told.keys()]).toEqual(Object.keys(CALLS))
})

test.each(Object.entries(CALLS))('%s takes the requests that are told', async (name, { before, call }) => {
  const user = await stage.user()
  const whose = { userId: user.email, auth: user.credentials }
  const scene = { service: stage.service(), who: [user.email, user.credentials], whose }
  const given = await before?.(scene)
  const earlier = (await stage.requestsOf(user)).length
  await call(scene, given)
  const operations = (await stage.requestsOf(user)).slice(earlier).map(({ operation }) => operation)
  const units = operations.reduce((sum, operation) => sum + (operation === 'events.patch' ? 3 : 1), 0)
  const [requests, kinds, toldUnits] = told.get(name)
  expect([operations.length, written(operations), units]).toEqual([
    requests,
    kinds.replace(' (refused)', ''),
    toldUnits,
  ])
})
