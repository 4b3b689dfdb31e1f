// As consumer.mjs, in TypeScript.

import surecal, { CalendarError, configure, createEvent, getEvent } from 'surecal'
import { createIdempotencyKey } from 'surecal/browser'
import { startEmulator } from 'surecal/testing'

const google = await startEmulator()
const { credentials } = await google.addUser('ada@school.test')
configure(google.config)
const day = { summary: 'Algebra', start: { date: '2027-03-01' }, end: { date: '2027-03-02' } }
const made = await createEvent('ada', credentials, day)
const refused: unknown = await getEvent('ada', credentials, 'nothing').catch((error: unknown) => error)
await google.close()
const isWhole: boolean = surecal.createEvent === createEvent && typeof createIdempotencyKey === 'function'
console.log(made.verified && CalendarError.is(refused) && isWhole ? 'well' : 'not well')
