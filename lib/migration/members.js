'use strict'

/** What functions have by themselves; of a class, its static members alone are the service. */
const OF_FUNCTIONS = ['length', 'name', 'prototype', 'arguments', 'caller']
const NOT_MEMBERS = new Set(['constructor', 'default', '__proto__', '__esModule'])

/**
 * The members of a service: a class with static methods, an instance, or a module of functions. `true` for a method,
 * `false` for anything else. Getters are not read, for they may do something; but those of a compiled ES module are
 * what it exports.
 *
 * @param {object | Function} owner
 * @returns {Map<string, boolean>}
 */
function membersOf(owner) {
  const found = new Map()
  for (let at = owner; at && !isBuiltIn(at); at = Object.getPrototypeOf(at)) {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (NOT_MEMBERS.has(name) || found.has(name)) continue
      if (typeof at === 'function' && OF_FUNCTIONS.includes(name)) continue
      const value = at.__esModule === true ? at[name] : descriptor.value
      found.set(name, typeof value === 'function' && !isClass(value))
    }
  }
  return found
}

/** The prototypes of the language itself; those of other realms (a Jest sandbox) are others than ours. */
const isBuiltIn = (object) =>
  Object.hasOwn(object, 'hasOwnProperty') || (Object.hasOwn(object, 'apply') && Object.hasOwn(object, 'bind'))

/** A class must stay what it is: `new` and `instanceof` work on it. */
const isClass = (value) => /^class\b/.test(Function.prototype.toString.call(value))

module.exports = { membersOf }
