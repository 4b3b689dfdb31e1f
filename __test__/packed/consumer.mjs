// As consumer.cjs, in ES modules, with the module itself as the service.

import surecal, { configure, createEvent, CalendarError, getEvent } from 'surecal'
import { startEmulator } from 'surecal/testing'
import { createIdempotencyKey } from 'surecal/browser'

const google = await startEmulator()
const { credentials } = await google.addUser('ada@school.test')
configure(google.config)
const day = { summary: 'Algebra', start: { date: '2027-03-01' }, end: { date: '2027-03-02' } }
const { verified } = await createEvent('ada', credentials, day)
const refused = await getEvent('ada', credentials, 'nothing').catch((error) => error)
await google.close()
const isWhole = surecal.createEvent === createEvent && typeof createIdempotencyKey === 'function'
console.log(verified && CalendarError.is(refused) && isWhole ? 'well' : 'not well')
