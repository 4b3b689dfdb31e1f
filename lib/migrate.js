'use strict'

const { configuration } = require('./errors')
const { membersOf } = require('./migration/members')
const { Shadow, CAN_SHADOW } = require('./migration/shadow')
const { SwitchTable } = require('./migration/switch_table')
const { whoOf } = require('./migration/who')

/** What the object has of its own; the services must not have these names. */
const CONTROLS = ['set', 'switches', 'sideOf', 'shadowCounts', 'shadowSettled']

const OPTIONS = ['userOf', 'onShadow', 'eventIdOf', 'resolveCalendarForEvent']

/**
 * One object with the methods of two services, each answered by one of them as its switch says. lib/migrate.d.ts is
 * its manual.
 */
function migrate(legacyService, service, switches = {}, options = {}) {
  const { userOf = {}, ...callbacks } = checked(options)
  const old = membersOf(serviceOf(legacyService, 'old'))
  const young = membersOf(serviceOf(service, 'new'))
  for (const name of CONTROLS) {
    if (old.has(name) || young.has(name)) {
      throw configuration(`migrate: a service has a member ${name}, which is a name of migrate's own. Rename it.`)
    }
  }
  const canShadow = ['verifyEvent', 'getEvent'].every((name) => young.get(name))
  const methods = new Map()
  for (const [name, isMethod] of [...old, ...young]) {
    if (!isMethod || methods.has(name)) continue
    methods.set(name, {
      switchable: old.get(name) === true && young.get(name) === true,
      side: old.has(name) ? 'old' : 'new',
      who: whoOf(name, userOf),
      canShadow: canShadow && CAN_SHADOW.includes(name),
    })
  }
  for (const name of Object.keys(userOf)) {
    if (!methods.has(name)) throw configuration('migrate: userOf names a method that neither service has.')
  }

  const table = new SwitchTable(methods)
  table.set(switches)
  const shadow = new Shadow(service, callbacks)
  const owners = { old: legacyService, new: service, shadow: legacyService }

  /** The method is looked up at each call: tests and tracers replace methods of a service that is in use. */
  function call(name, args) {
    const side = table.sideOf(name, args)
    shadow.wrote(name, args)
    const answer = () => Reflect.apply(owners[side][name], owners[side], args)
    return side === 'shadow' ? watched(answer, shadow.expect(name, args)) : answer()
  }

  const both = {}
  for (const name of methods.keys()) {
    define(both, name, { value: (...args) => call(name, args), writable: true })
  }
  for (const [name, isMethod] of [...young, ...old]) {
    if (isMethod || methods.has(name)) continue
    const owner = old.has(name) ? legacyService : service
    define(both, name, {
      get: () => owner[name],
      set: (value) => {
        owner[name] = value
      },
    })
  }
  const controls = {
    set: (changes) => table.set(changes),
    switches: () => table.told(),
    sideOf: (name, ...args) => table.sideOf(name, args),
    shadowCounts: () => shadow.counts(),
    shadowSettled: () => shadow.settled(),
  }
  for (const name of CONTROLS) define(both, name, { value: controls[name], enumerable: false })
  return both
}

const define = (object, name, what) =>
  Object.defineProperty(object, name, { configurable: true, enumerable: true, ...what })

/**
 * The caller gets the old service's own answer or error. A promise is handed on as another one: to listen to the
 * first would make a rejection that nobody handles look handled.
 */
function watched(call, { answered, failed }) {
  let answer
  try {
    answer = call()
  } catch (error) {
    failed()
    throw error
  }
  if (typeof answer?.then !== 'function') {
    answered(answer)
    return answer
  }
  return Promise.resolve(answer).then(
    (value) => {
      answered(value)
      return value
    },
    (error) => {
      failed()
      throw error
    },
  )
}

function serviceOf(service, which) {
  const isObject = (typeof service === 'object' && service !== null) || typeof service === 'function'
  if (!isObject) throw configuration(`migrate: the ${which} service must be an object or a class with static methods.`)
  if (![...membersOf(service).values()].includes(true)) {
    throw configuration(
      `migrate: the ${which} service has no methods; of a class with instance methods, give an instance.`,
    )
  }
  return service
}

function checked(options) {
  if (options === null || typeof options !== 'object') throw configuration('migrate: the options must be an object.')
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name))
  if (unknown !== undefined) {
    throw configuration(`migrate: the options are ${OPTIONS.join(', ')}; one that was given is none of them.`)
  }
  const { userOf, ...callbacks } = options
  if (userOf !== undefined && (userOf === null || typeof userOf !== 'object')) {
    throw configuration('migrate: userOf must be an object of functions.')
  }
  for (const [name, value] of Object.entries({ ...userOf, ...callbacks })) {
    if (value !== undefined && typeof value !== 'function') throw configuration(`migrate: ${name} must be a function.`)
  }
  return options
}

module.exports = { migrate }
