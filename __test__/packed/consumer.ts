// As consumer.cjs, in TypeScript: compiled by scripts/try_package.js with the types that were installed, then run.

import { CalendarError, CalendarService, type CreateResult, type CalendarEvent } from 'surecal'
import { startEmulator, type Emulator } from 'surecal/testing'

async function main(): Promise<void> {
  const google: Emulator = await startEmulator()
  const { credentials } = await google.addUser('ada@school.test')
  const service = new CalendarService(google.config)
  const day: CalendarEvent = { summary: 'Algebra', start: { date: '2027-03-01' }, end: { date: '2027-03-02' } }
  const made: CreateResult = await service.createEvent('ada', credentials, day)
  const refused: unknown = await service.getEvent('ada', credentials, 'nothing').catch((error: unknown) => error)
  await google.close()
  console.log(
    made.success && made.verified && CalendarError.is(refused) && refused.code === 'NOT_FOUND' ? 'well' : 'not well',
  )
}
void main()
