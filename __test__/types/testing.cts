// Tests of an app, in TypeScript: the emulator, and the fakes of a unit test.

import { CalendarError, CalendarService, type CalendarErrorCode } from '../../index'
import { startEmulator, type Emulator, type Fault } from '../../lib/testing'

async function emulated() {
  const google: Emulator = await startEmulator({ seed: 7, latencyMs: 0 })
  const again: Emulator = await startEmulator({ seed: google.seed })
  const fault: Fault = { kind: 'corrupt', fields: { summary: null } }
  await google.fault(
    { operation: 'events.insert', nth: 1, fault },
    { operation: 'oauth.token', fault: { kind: 'rotate' } },
  )
  // @ts-expect-error No such fault.
  await google.fault({ operation: 'events.insert', fault: { kind: 'resets' } })
  await google.reset()
  const service = new CalendarService(google.config)
  const { credentials } = await again.addUser('ada@school.test')
  await service.deleteEvent('ada', credentials, 'event1')
}

function faked() {
  const error = new CalendarError({ code: 'TIMEOUT', message: 'late', outcome: 'unknown' }, { cause: new Error('why') })
  // @ts-expect-error No such code.
  new CalendarError({ code: 'TIME_OUT', message: 'late' })
  // @ts-expect-error A message is wanted.
  new CalendarError({ code: 'TIMEOUT' })
  const code: CalendarErrorCode = error.code
  const context: unknown = error.context
  return [code, context]
}

async function open(service: CalendarService) {
  const [entry] = await service.pending()
  const context: unknown = entry?.context
  return context
}
void [emulated, faked, open]
