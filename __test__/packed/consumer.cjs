'use strict'

// A program of somebody's own, in CommonJS. Run by scripts/try_package.js where the package was installed.

const { CalendarService, CalendarError } = require('surecal')
const { startEmulator } = require('surecal/testing')
const { migrate } = require('surecal/migrate')

async function main() {
  const google = await startEmulator()
  const { credentials } = await google.addUser('ada@school.test')
  const service = new CalendarService(google.config)
  const day = { summary: 'Algebra', start: { date: '2027-03-01' }, end: { date: '2027-03-02' } }
  const { verified } = await service.createEvent('ada', credentials, day)
  const refused = await service.getEvent('ada', credentials, 'nothing').catch((error) => error)
  await google.close()
  console.log(verified && CalendarError.is(refused) && typeof migrate === 'function' ? 'well' : 'not well')
}
main()
