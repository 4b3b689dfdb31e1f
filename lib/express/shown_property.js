'use strict'

/**
 * An own getter that answers while `isShown()`, and the inherited one after.
 *
 * @param {object} object
 * @param {string} name
 * @param {() => unknown} shown
 * @param {() => boolean} isShown
 */
function showInherited(object, name, shown, isShown) {
  Object.defineProperty(object, name, {
    configurable: true,
    enumerable: false,
    get: () => (isShown() ? shown() : Reflect.get(Object.getPrototypeOf(object), name, object)),
  })
}

/**
 * The same for a plain property: what others write to it meanwhile is kept, and is its value after.
 *
 * @param {object} object
 * @param {string} name
 * @param {(value: unknown) => unknown} shown given the value that is hidden
 * @param {() => boolean} isShown
 */
function showOwn(object, name, shown, isShown) {
  let value = object[name]
  Object.defineProperty(object, name, {
    configurable: true,
    enumerable: true,
    get: () => (isShown() ? shown(value) : value),
    set: (written) => {
      value = written
    },
  })
}

module.exports = { showInherited, showOwn }
