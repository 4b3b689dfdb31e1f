'use strict'

const { configuration } = require('./errors')
const { authoritiesOf, environmentOf } = require('./network')

/** What stands for a function in the configuration text that the native part checks. */
const FUNCTION_MARK = '[function]'

/** Top-level configuration keys that are functions. */
const FUNCTION_KEYS = ['resolveCalendar', 'resolveCalendarForEvent', 'onOperation']

/** What makes a store object of the program's own. */
const STORE_METHODS = ['get', 'put', 'delete', 'open']

/** Configuration keys that are objects with methods: the methods we call, and those that must be there. */
const OBJECT_KEYS = {
  tokenStore: { methods: ['load', 'save'], required: ['load'] },
  logger: { methods: ['debug', 'info', 'warn', 'error'], required: [] },
  store: { methods: STORE_METHODS, required: STORE_METHODS },
}

/**
 * Splits a configuration: `text` is the JSON the native part checks, with every function as "[function]"; `callbacks`
 * are the caller's functions, each an async function that keeps its `this`. A key set to null or undefined takes
 * the callback away.
 *
 * @param {object} config
 * @param {object} [environment] the process's environment variables, for a configuration that starts a service
 * @throws {CalendarError} CONFIGURATION
 */
function splitConfig(config, environment) {
  if (config === null || typeof config !== 'object' || Array.isArray(config)) {
    throw configuration('The configuration must be an object.')
  }
  const plain = {}
  const callbacks = {}
  try {
    for (const key of Object.keys(config)) {
      if (FUNCTION_KEYS.includes(key)) {
        callbacks[key] = functionOf(config, key, config[key])
        plain[key] = callbacks[key] && FUNCTION_MARK
      } else if (key === 'undo') {
        callbacks.undo = handlersOf(config.undo)
        plain.undo = callbacks.undo && marked(callbacks.undo)
      } else if (key === 'store' && isStoreObject(config.store)) {
        callbacks.store = methodsOf(key, config.store)
        plain.store = { custom: true }
      } else if (key !== 'store' && key in OBJECT_KEYS) {
        callbacks[key] = methodsOf(key, config[key])
        plain[key] = callbacks[key] && marked(callbacks[key])
      } else if (key === 'ca') {
        plain.ca = authoritiesOf(config.ca)
      } else {
        plain[key] = config[key]
      }
    }
    if (environment) plain.$environment = environmentOf(environment)
    return { text: JSON.stringify(plain, crossable), plain, callbacks }
  } catch (error) {
    if (error?.code === 'CONFIGURATION') throw error
    throw configuration(
      'The configuration cannot be written as JSON (a self-reference, a BigInt, or a getter that throws).',
    )
  }
}

function functionOf(owner, key, value) {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'function') throw configuration(`${key} must be a function.`)
  return (...args) => Reflect.apply(value, owner, args)
}

function methodsOf(key, object) {
  if (object === undefined || object === null) return undefined
  const { methods, required } = OBJECT_KEYS[key]
  if (typeof object !== 'object' && typeof object !== 'function') throw configuration(`${key} must be an object.`)
  const found = {}
  // pino and its like take the object first, and would drop it otherwise.
  const objectFirst = key === 'logger' && typeof object.bindings === 'function' && typeof object.child === 'function'
  for (const method of methods) {
    const value = functionOf(object, `${key}.${method}`, object[method])
    // Looked up at each call: tests and tracers replace methods of an object that is in use.
    if (value && objectFirst) found[method] = (message, more) => object[method](more, message)
    else if (value) found[method] = (...args) => object[method](...args)
    else if (required.includes(method)) throw configuration(`${key}.${method} must be a function.`)
  }
  return found
}

/** Handlers under names of the program's own. */
function handlersOf(object) {
  if (object === undefined || object === null) return undefined
  if (typeof object !== 'object') throw configuration('undo must be an object of functions.')
  return Object.fromEntries(Object.keys(object).map((name) => [name, functionOf(object, `undo.${name}`, object[name])]))
}

/** The other stores are words and plain settings, and the native part's to check. */
const isStoreObject = (store) =>
  store !== null && typeof store === 'object' && STORE_METHODS.some((method) => typeof store[method] === 'function')

const marked = (methods) => Object.fromEntries(Object.keys(methods).map((name) => [name, FUNCTION_MARK]))

/** JSON.stringify turns NaN into null and drops functions; both must reach the native check as what they are: wrong. */
function crossable(key, value) {
  if (typeof value === 'function') return FUNCTION_MARK
  if (typeof value === 'number' && !Number.isFinite(value)) throw configuration(`${key} must be a finite number.`)
  return value
}

module.exports = { splitConfig }
