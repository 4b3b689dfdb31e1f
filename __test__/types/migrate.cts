// Compiled, never run: what a TypeScript caller who moves from an old service may write.
import surecal = require('surecal')
import { migrate } from 'surecal/migrate'
import type { OAuth2Client } from 'google-auth-library'

declare const oauth2Client: OAuth2Client
declare const service: surecal.CalendarService

class OldService {
  static readonly RETRIES = 3
  static async createEvent(userId: string, auth: OAuth2Client, eventData: object): Promise<{ success: boolean }> {
    return { success: Boolean(userId && auth && eventData) }
  }
  static async deleteEvent(_userId: string, _auth: OAuth2Client, _eventId: string): Promise<void> {}
  static importTimetable(): number {
    return this.RETRIES
  }
}
const calendar = migrate(
  OldService,
  service,
  { createEvent: 'shadow', deleteEvent: 0.1 },
  {
    userOf: { importTimetable: () => 'user' },
    onShadow: ({ outcome, silentFailure }) => (outcome === 'missing' ? silentFailure : undefined),
  },
)
async function moved(): Promise<string[]> {
  const { success } = await calendar.createEvent('user', oauth2Client, {})
  const { events } = await calendar.createEvents('user', null, [])
  calendar.set({ '*': false, createEvent: { share: 0.5, shadow: true } })
  const side: 'old' | 'new' | 'shadow' = calendar.sideOf('createEvent', 'user')
  const missing = calendar.shadowCounts().methods.createEvent?.missing ?? 0
  return [side, `${success} ${events.length} ${missing + calendar.importTimetable() + calendar.RETRIES}`]
}
// @ts-expect-error a misspelt method
calendar.set({ createEvnt: true })
// @ts-expect-error only the old service has it
calendar.set({ importTimetable: true })
// @ts-expect-error no such switch
calendar.set({ createEvent: 'new' })

export { moved }
