// Compiled, never run: what a TypeScript caller of the CommonJS package may write.
import surecal = require('surecal')
import type { calendar_v3 } from '@googleapis/calendar'
import type { OAuth2Client } from 'google-auth-library'

declare const oauth2Client: OAuth2Client
declare const serviceAccount: surecal.ServiceAccountKey
declare const ofGoogle: calendar_v3.Schema$Event
declare const ours: surecal.CalendarEvent

// Events go both ways between Google's client and this package.
const toOurs: surecal.CalendarEvent = ofGoogle
const toGoogle: calendar_v3.Schema$Event = ours

const service = new surecal.CalendarService({
  resolveCalendar: async (userId) => ({ calendarId: `calendar-of-${userId}` }),
  tokenStore: { load: () => ({ access_token: 'token' }), save: async () => undefined },
  onOperation: (record) => (record.settled === 'deleted' ? record.googleEventId : record.error),
  logger: console,
  retry: { maxRetries: 3 },
})

async function everyAuth(event: surecal.CalendarEvent): Promise<void> {
  await service.createEvent('user', oauth2Client, event)
  await service.createEvent('user', 'token', event)
  await service.createEvent('user', { access_token: 'token' }, event)
  await service.createEvent('user', { getAccessToken: async () => ({ token: 'token' }) }, event)
  await service.createEvent('user', { getRequestHeaders: async () => new Headers() }, event)
  await service.createEvent('user', serviceAccount, event)
  await service.createEvent(42, null, event)
}

async function tokens(app: { use(middleware: (req: object, res: object, next: () => void) => void): void }) {
  const client: OAuth2Client | null = await service.getRefreshedOAuthClient<OAuth2Client>('user')
  const sure: OAuth2Client = await service.getRefreshedOAuthClient<OAuth2Client>('user', { throwOnFailure: true })
  app.use(surecal.requireGoogleAuth({ user: (req) => req.user.email, throwOnFailure: false }))
  return [client, await service.createEvent('user', sure, {})]
}

async function results(): Promise<string> {
  const result = await surecal.createEvent('user', null, toOurs, {
    idempotencyKey: 'key',
    sendUpdates: 'none',
    signal: AbortSignal.timeout(10),
    context: { request: 7 },
  })
  if (!result.success) {
    const code: 'VERIFICATION_FAILED' = result.errorCode
    return code + result.verificationDetails.mismatches?.map((mismatch) => mismatch.field).join()
  }
  const back: calendar_v3.Schema$Event = result.event
  for await (const event of service.listEvents('user', null, { timeMin: new Date() })) void event.summary
  const answer: number = await service.executeWithRetry(async () => 1, 3, { idempotent: true })
  return result.eventHash + back.id + answer
}

function errors(error: unknown): surecal.Outcome | undefined {
  if (!surecal.CalendarError.is(error)) return undefined
  const code: surecal.CalendarErrorCode = error.code
  void code
  return error.code === surecal.CALENDAR_ERROR_CODE.TIMEOUT ? 'unknown' : error.outcome
}

const handler = service.idempotency({ scope: async (req) => req.tenant, replayable: [422], conflict: 'problem+json' })
const used: Promise<void> | void = service.idempotencyMiddleware({}, {}, () => undefined)
const refused: (body: surecal.ErrorBody | surecal.DuplicateBody) => string = (body) => body.message
const entries = new Map<string, surecal.StoreRecord>()
const store: surecal.CustomStore = {
  get: (key) => entries.get(key),
  put: async (key, value, { expected, version }) => {
    if ((entries.get(key)?.version ?? null) !== expected) return false
    entries.set(key, { value, version })
    return true
  },
  delete: (key) => entries.delete(key),
  open: () => [],
}
new surecal.CalendarService({ store })
new surecal.CalendarService({ store: { sqlite: 'calendar.db' } })
new surecal.CalendarService({ store: { redis: 'rediss://localhost', prefix: 'app:' } })
void [handler, used, refused, service.errorHandler(), service.clearIdempotency()]

async function attendees(): Promise<boolean> {
  const { alreadyAdded } = await service.addAttendeeToEvent('event', 'ada@example.com')
  const options: surecal.AttendeeOptions = { userId: 1, auth: null, calendarId: 'primary', sendUpdates: 'none' }
  const guest: surecal.NewAttendee = { email: 'ada@example.com', optional: true }
  await service.addAttendeeToEvent('event', guest, options)
  const { alreadyRemoved } = await service.removeAttendeeFromEvent('event', 'ada@example.com', options)
  return alreadyAdded && alreadyRemoved
}
void attendees
new surecal.CalendarService({
  attendees: { timeoutMs: 5000, onTimeout: 'skip' },
  resolveCalendarForEvent: async (eventId) => ({ userId: eventId, calendarId: 'primary' }),
})
// @ts-expect-error an answer is the guest's to give
void service.addAttendeeToEvent('event', { email: 'ada@example.com', responseStatus: 'accepted' })
// @ts-expect-error a store without open
new surecal.CalendarService({ store: { get: store.get, put: store.put, delete: store.delete } })
// @ts-expect-error a misspelt option
service.idempotency({ require: true })
// @ts-expect-error a misspelt key of the configuration
new surecal.CalendarService({ timeoutMS: 5 })
// @ts-expect-error a misspelt option
void service.createEvent('user', null, {}, { idempotencykey: 'key' })
// @ts-expect-error no user
void service.createEvent(undefined, null, {})
// @ts-expect-error not one of Google's words
void service.createEvent('user', null, {}, { sendUpdates: 'everyone' })

export { everyAuth, tokens, results, errors, toGoogle }

async function watched(app: {
  use(path: string, handler: (req: object, res: object, next: () => void) => void): void
}) {
  app.use('/admin', service.dashboard({ authorize: async (req) => req.user?.isAdmin === true }))
  app.use('/open', surecal.dashboard({ authorize: false }))
  const metrics: surecal.Metrics = service.metrics()
  const hung: number = metrics.success.hung.count
  const timeouts: number = metrics.operations.createEvent?.failed.TIMEOUT ?? 0
  const { ready, status }: surecal.Health = await surecal.health()
  const text: string = service.prometheus()
  return [hung, timeouts, ready, status === 'degraded', text]
}
void watched
