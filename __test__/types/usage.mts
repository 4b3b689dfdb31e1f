// Compiled, never run: what a TypeScript caller of the ES module may write.
import { createIdempotencyKey, generateIdempotencyKey, type Intent } from 'surecal/browser'
import { migrate, type Migrated } from 'surecal/migrate'
import surecal, { CalendarError, CalendarService, configure, createEvent, type CreateResult } from 'surecal'

configure({ timeoutMs: 30000, onOperation: null })
surecal.configure({ verification: { enabled: false } })

export const service: CalendarService = new surecal.CalendarService()
export const created: Promise<CreateResult> = createEvent('user', 'token', { summary: 'Algebra' })
export const isOurs: boolean = CalendarError.is(new Error('other'))

const intent: Intent = createIdempotencyKey('create-class')
export const keys: string[] = [
  intent.key,
  `${intent}`,
  generateIdempotencyKey({ title: 'Algebra' }, { windowMs: 60000 }),
]
intent.settle()

const old = { createEvent: async (_userId: string): Promise<string> => 'event' }
export const calendar: Migrated<typeof old, typeof surecal> = migrate(old, surecal, { createEvent: true })
