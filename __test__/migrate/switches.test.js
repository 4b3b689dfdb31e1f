'use strict'

// The switches alone, over two services that only say who they are.

const { CalendarService } = require('surecal')
const { migrate } = require('surecal/migrate')

class OldService {
  static RETRIES = 3
  // A static private name: it breaks where `this` is not the class itself.
  static #name = 'createEvent'

  static createEvent(userId) {
    return this.said(this.#name, userId)
  }
  static deleteEvent(userId) {
    return this.said('deleteEvent', userId)
  }
  static addAttendeeToEvent(eventId, email) {
    return this.said('addAttendeeToEvent', eventId, email)
  }
  static executeWithRetry(fn) {
    return fn('old')
  }
  static importTimetable() {
    return 'old importTimetable'
  }
  static said(method, ...args) {
    return ['old', method, ...args].join(' ')
  }
}

const newService = () => ({
  createEvent: (userId) => `new createEvent ${userId}`,
  deleteEvent: (userId) => `new deleteEvent ${userId}`,
  addAttendeeToEvent: (eventId) => `new addAttendeeToEvent ${eventId}`,
  executeWithRetry: (fn) => fn('new'),
  verifyEvent: async () => ({ verified: true }),
  getEvent: async () => ({}),
  pending: () => [],
})

const users = Array.from({ length: 400 }, (_, index) => `user-${index}`)
const movedIn = (calendar, method = 'createEvent') => users.filter((user) => calendar.sideOf(method, user) === 'new')

test('without switches every method that the old service has is answered by it', () => {
  const calendar = migrate(OldService, newService())
  expect(calendar.createEvent('ada')).toBe('old createEvent ada')
  expect(calendar.deleteEvent('ada')).toBe('old deleteEvent ada')
  expect(calendar.switches()).toEqual({
    createEvent: false,
    deleteEvent: false,
    addAttendeeToEvent: false,
    executeWithRetry: false,
  })
})

test('a switch changes one method for calls from then on, and no other', () => {
  const calendar = migrate(OldService, newService(), { createEvent: true })
  expect(calendar.createEvent('ada')).toBe('new createEvent ada')
  expect(calendar.deleteEvent('ada')).toBe('old deleteEvent ada')
  calendar.set({ createEvent: false, deleteEvent: true })
  expect(calendar.createEvent('ada')).toBe('old createEvent ada')
  expect(calendar.deleteEvent('ada')).toBe('new deleteEvent ada')
})

test('methods and members that only one service has pass through', () => {
  const calendar = migrate(OldService, newService())
  expect(calendar.importTimetable()).toBe('old importTimetable')
  expect(calendar.pending()).toEqual([])
  expect(calendar.RETRIES).toBe(3)
  calendar.RETRIES = 4
  expect(OldService.RETRIES).toBe(4)
  OldService.RETRIES = 3
  expect(() => calendar.set({ importTimetable: false, pending: true })).not.toThrow()
  expect(() => calendar.set({ importTimetable: true })).toThrow('only the old service has importTimetable')
  expect(() => calendar.set({ pending: false })).toThrow('only the new service has pending')
})

test('instances, inherited methods, modules of functions and compiled ES modules are services as well', () => {
  class Base {
    createEvent(userId) {
      return `${this.name} createEvent ${userId}`
    }
  }
  class Instance extends Base {
    name = 'old instance'
  }
  const compiled = Object.defineProperty({ __esModule: true }, 'createEvent', {
    enumerable: true,
    get: () => (userId) => `old compiled createEvent ${userId}`,
  })
  class Child extends OldService {}
  expect(migrate(new Instance(), newService()).createEvent('ada')).toBe('old instance createEvent ada')
  expect(migrate(compiled, newService()).createEvent('ada')).toBe('old compiled createEvent ada')
  expect(migrate(Child, newService()).deleteEvent('ada')).toBe('old deleteEvent ada')
  expect(migrate({ createEvent: () => 'old' }, newService(), { createEvent: true }).createEvent(1)).toBe(
    'new createEvent 1',
  )
})

test('methods work without their object, and a method that is replaced on a service is the one called', () => {
  const service = newService()
  const calendar = migrate(OldService, service, { deleteEvent: true })
  const { createEvent, deleteEvent } = calendar
  expect(createEvent('ada')).toBe('old createEvent ada')
  jest.spyOn(service, 'deleteEvent').mockReturnValue('spied')
  expect(deleteEvent('ada')).toBe('spied')
  jest.spyOn(calendar, 'createEvent').mockReturnValue('spied as well')
  expect(calendar.createEvent('ada')).toBe('spied as well')
})

test('a share is near its size, the same at every time, and only adds users when it grows', () => {
  const calendar = migrate(OldService, newService(), { createEvent: 0.1 })
  const tenth = movedIn(calendar)
  expect(tenth.length).toBeGreaterThan(users.length * 0.05)
  expect(tenth.length).toBeLessThan(users.length * 0.15)
  calendar.set({ createEvent: 0.5, deleteEvent: 0.5 })
  const half = movedIn(calendar)
  expect(half).toEqual(expect.arrayContaining(tenth))
  expect(half.length).toBeGreaterThan(users.length * 0.4)
  expect(half.length).toBeLessThan(users.length * 0.6)
  // One service for a user, whatever the method.
  expect(movedIn(calendar, 'deleteEvent')).toEqual(half)
  calendar.set({ createEvent: 0.1 })
  expect(movedIn(calendar)).toEqual(tenth)
  expect(movedIn(migrate(OldService, newService(), { createEvent: 0.1 }))).toEqual(tenth)
  calendar.set({ createEvent: 1 })
  expect(movedIn(calendar)).toEqual(users)
})

test('the place of a user does not change between versions: it is a hash of the id, whatever its type', () => {
  const calendar = migrate(OldService, newService(), { createEvent: 0.5 })
  const side = (id) => calendar.sideOf('createEvent', id)
  expect(['ada', 'bob', 'cyd', 'dan', 'eve', 'fay'].map(side)).toEqual(['old', 'new', 'old', 'new', 'new', 'old'])
  const objectId = { toHexString: () => '65f0c0ffee0123456789abcd' }
  expect(side(objectId)).toBe(side('65f0c0ffee0123456789abcd'))
  expect(side(42)).toBe(side('42'))
})

test('where the first argument is no user, the userId in the options counts, else the event', () => {
  const calendar = migrate(OldService, newService(), { createEvent: 0.5, addAttendeeToEvent: 0.5 })
  for (const user of users) {
    const side = calendar.sideOf('createEvent', user)
    expect(calendar.sideOf('addAttendeeToEvent', 'event1', 'guest@school.test', { userId: user })).toBe(side)
    expect(calendar.sideOf('addAttendeeToEvent', user, 'guest@school.test')).toBe(side)
  }
})

test('userOf tells whom a call of the program’s own method is for', () => {
  const old = { sync: () => 'old' }
  const service = { ...newService(), sync: () => 'new' }
  const calendar = migrate(old, service, { sync: 0.5 }, { userOf: { sync: (_what, { owner }) => owner } })
  const byShare = migrate(OldService, newService(), { createEvent: 0.5 })
  for (const user of users) {
    expect(calendar.sync('all', { owner: user })).toBe(byShare.sideOf('createEvent', user))
  }
})

test('a call whose user cannot be read goes to the old service until all do not', () => {
  const calendar = migrate(OldService, newService(), { createEvent: 0.999 })
  for (const nobody of [undefined, null, {}, [], NaN]) expect(calendar.sideOf('createEvent', nobody)).toBe('old')
  calendar.set({ createEvent: true })
  expect(calendar.sideOf('createEvent', undefined)).toBe('new')
})

test('the star takes everything back at once, and moves each method as far as that makes sense', () => {
  const calendar = migrate(OldService, newService(), { '*': true, deleteEvent: false })
  const all = (to) => ({ createEvent: to, deleteEvent: to, addAttendeeToEvent: to, executeWithRetry: to })
  expect(calendar.switches()).toEqual({ ...all(true), deleteEvent: false })
  calendar.set({ '*': 0.5 })
  expect(calendar.switches()).toEqual({ ...all(0.5), executeWithRetry: true })
  calendar.set({ '*': 'shadow' })
  expect(calendar.switches()).toEqual({ ...all('shadow'), executeWithRetry: false })
  calendar.set({ '*': false })
  expect(calendar.switches()).toEqual(all(false))
})

test.each([
  [{ createEvents: true }, /neither service has a method createEvents; did you mean createEvent\?/],
  [{ deleteevent: 0.1 }, /did you mean deleteEvent\?/],
  [{ launchRocket: true }, /neither service has a method launchRocket\.$/],
  [{ createEvent: 50 }, /from 0 to 1/],
  [{ createEvent: -0.1 }, /from 0 to 1/],
  [{ createEvent: NaN }, /from 0 to 1/],
  [{ createEvent: 'new' }, /must be true, false, a share/],
  [{ createEvent: null }, /must be true, false, a share/],
  [{ createEvent: { share: 0.1, shadows: true } }, /must be true, false, a share/],
  [{ executeWithRetry: 0.5 }, /serves no user in particular/],
  [{ executeWithRetry: 'shadow' }, /has no shadow mode/],
  [{ '*': 'shadows' }, /must be true, false, a share/],
  [null, /must be an object/],
])('the switches %p are refused, and none is changed', (switches, words) => {
  const calendar = migrate(OldService, newService())
  const wrong = switches && { addAttendeeToEvent: true, ...switches }
  expect(() => calendar.set(wrong)).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }))
  expect(() => calendar.set(wrong)).toThrow(words)
  expect(calendar.switches().addAttendeeToEvent).toBe(false)
  expect(() => migrate(OldService, newService(), switches)).toThrow(words)
})

test.each([
  ['no service', [undefined, newService()], /the old service must be an object/],
  ['a class of instance methods', [class {}, newService()], /give an instance/],
  ['an empty new service', [OldService, {}], /the new service has no methods/],
  ['a member with a name of migrate’s own', [{ set: () => 1, createEvent: () => 1 }, newService()], /a member set/],
  ['an unknown option', [OldService, newService(), {}, { onShadows: () => 1 }], /the options are userOf, onShadow/],
  ['an option that is no function', [OldService, newService(), {}, { onShadow: 1 }], /onShadow must be a function/],
  ['userOf of nothing', [OldService, newService(), {}, { userOf: { x: () => 1 } }], /userOf names a method/],
  [
    'shadow mode without a service that can read',
    [OldService, { createEvent: () => 1 }, { createEvent: 'shadow' }],
    /has no shadow mode/,
  ],
])('%s is refused', (_what, args, words) => {
  expect(() => migrate(...args)).toThrow(words)
})

test('a CalendarService and the module itself can be the new service, before configure() as well', () => {
  for (const service of [new CalendarService(), require('surecal')]) {
    const calendar = migrate(OldService, service, { createEvent: 0.5, deleteEvent: 'shadow' })
    expect(calendar.switches()).toMatchObject({ createEvent: 0.5, deleteEvent: 'shadow', executeWithRetry: false })
    expect(typeof calendar.createEvents).toBe('function')
  }
  const { CalendarError } = migrate(OldService, require('surecal'))
  expect(CalendarError).toBe(require('surecal').CalendarError)
})

test('of every method of the service it is known whom a call is for', () => {
  const { whoOf } = require('../../lib/migration/who')
  const byUser = Object.getOwnPropertyNames(CalendarService.prototype).filter((method) => {
    const who = whoOf(method, {})
    return method !== 'constructor' && who !== null && who('the first argument') === 'the first argument'
  })
  expect(byUser.sort()).toEqual(
    [
      // An attendee's event stands for its user where the call names none.
      ...['addAttendeeToEvent', 'removeAttendeeFromEvent'],
      ...['createEvent', 'createEvents', 'verifyEvent', 'getEvent', 'listEvents', 'updateEvent', 'deleteEvent'],
      ...['getRefreshedOAuthClient', 'resolveCalendar'],
    ].sort(),
  )
})
