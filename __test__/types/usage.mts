// Compiled, never run: what a TypeScript caller of the ES module may write.
import surecal, { CalendarError, CalendarService, configure, createEvent, type CreateResult } from 'surecal'

configure({ timeoutMs: 30000, onOperation: null })
surecal.configure({ verification: { enabled: false } })

export const service: CalendarService = new surecal.CalendarService()
export const created: Promise<CreateResult> = createEvent('user', 'token', { summary: 'Algebra' })
export const isOurs: boolean = CalendarError.is(new Error('other'))
