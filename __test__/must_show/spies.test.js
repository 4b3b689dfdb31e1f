'use strict'

// Old tests spy on the service, and old code takes methods off it.

const surecal = require('surecal')
const { setStage } = require('../support/stage')
const { lesson } = require('../support/lessons')

const stage = setStage()
const methods = Object.keys(new surecal.CalendarService({})).filter((name) => name !== 'default')
const forms = [
  ['an instance', () => stage.service()],
  [
    'the module',
    () => {
      surecal.configure(stage.google.config)
      return surecal
    },
  ],
]

afterEach(() => {
  jest.restoreAllMocks()
  return surecal.close({ drainMs: 0 })
})

describe.each(forms)('%s', (_form, makeService) => {
  test('a spy sees the calls and lets them through', async () => {
    const [service, user] = [makeService(), await stage.user()]
    const spy = jest.spyOn(service, 'createEvent')
    const result = await service.createEvent(user.email, user.accessToken, lesson())
    expect(result).toMatchObject({ success: true, verified: true })
    expect(spy).toHaveBeenCalledTimes(1)
    spy.mockRestore()
    await expect(service.createEvent(user.email, user.accessToken, lesson())).resolves.toMatchObject({ success: true })
    expect(spy).toHaveBeenCalledTimes(0)
  })

  test('a mock takes the place of any method, and is taken away again', async () => {
    const [service, user] = [makeService(), await stage.user()]
    for (const name of methods) {
      const original = service[name]
      jest.spyOn(service, name).mockReturnValue('mocked')
      expect([name, service[name]()]).toEqual([name, 'mocked'])
      jest.restoreAllMocks()
      expect([name, service[name] === original]).toEqual([name, true])
    }
    await expect(stage.requestsOf(user)).resolves.toEqual([])
  })

  test('a spy on logOperation sees the record of a create', async () => {
    const [service, user] = [makeService(), await stage.user()]
    const spy = jest.spyOn(service, 'logOperation')
    const { eventId } = await service.createEvent(user.email, user.accessToken, lesson(), { context: { request: 7 } })
    expect(spy.mock.calls.map(([record]) => record)).toMatchObject([
      {
        operation: 'CREATE_EVENT',
        status: 'SUCCESS',
        googleEventId: eventId,
        verified: true,
        context: { request: 7 },
        userId: user.email,
      },
    ])
  })

  test('a logOperation that fails does not turn a created event into an error', async () => {
    const [service, user] = [makeService(), await stage.user()]
    jest.spyOn(service, 'logOperation').mockRejectedValue(new Error('the log is down'))
    await expect(service.createEvent(user.email, user.accessToken, lesson())).resolves.toMatchObject({ success: true })
  })

  test('methods work without their object', async () => {
    const user = await stage.user()
    const { createEvent, verifyEvent, updateEvent, getEvent, deleteEvent, listEvents } = makeService()
    const who = [user.email, user.accessToken]
    const { eventId } = await createEvent(...who, lesson())
    await expect(verifyEvent(...who, eventId, lesson())).resolves.toMatchObject({ verified: true })
    await expect(updateEvent(...who, eventId, { summary: 'New' })).resolves.toMatchObject({ verified: true })
    await expect(getEvent(...who, eventId)).resolves.toMatchObject({ event: { summary: 'New' } })
    const seen = []
    for await (const { id } of listEvents(...who)) seen.push(id)
    expect(seen).toEqual([eventId])
    await expect(deleteEvent(...who, eventId)).resolves.toMatchObject({ success: true, alreadyDeleted: false })
    await expect(deleteEvent(...who, eventId)).resolves.toMatchObject({ success: true, alreadyDeleted: true })
    await expect(stage.live(user)).resolves.toEqual([])
  })
})
