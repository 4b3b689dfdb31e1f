'use strict'

const { configuration } = require('../errors')
const { closest } = require('./closest')
const { placeInLine } = require('./who')

/** The switch of all methods at once. */
const ALL = '*'

const PLAIN_NAME = /^[\w$*]{1,64}$/
const plain = (name) => (PLAIN_NAME.test(name) ? name : '(a name with unusual characters)')

/**
 * Which service answers which call, as it is now.
 *
 * @typedef {{share: number, shadow: boolean}} Switch `share` of the users have the new service; the calls of the
 *   others are looked at afterwards, if `shadow`
 * @typedef {{switchable: boolean, side: 'old' | 'new', who: Function | null, canShadow: boolean}} Method
 */
class SwitchTable {
  #methods
  #switches = new Map()

  /** @param {Map<string, Method>} methods all that there are, also those only one service has */
  constructor(methods) {
    this.#methods = methods
    for (const [name, { switchable }] of methods) {
      if (switchable) this.#switches.set(name, { share: 0, shadow: false })
    }
  }

  /** All or nothing: a mistake in one leaves every switch as it was. @throws {CalendarError} CONFIGURATION */
  set(changes) {
    if (changes === null || typeof changes !== 'object' || Array.isArray(changes)) {
      throw configuration('migrate: the switches must be an object.')
    }
    const names = Object.keys(changes).filter((name) => name !== ALL)
    const read = names.map((name) => [name, this.#read(name, changes[name])])
    // After the others: a name of its own is more than the star.
    const ofAll = ALL in changes ? this.#ofAll(readSwitch(ALL, changes[ALL])) : []
    for (const [name, to] of [...ofAll, ...read]) if (to) this.#switches.set(name, to)
  }

  /** The switches as `set` takes them. */
  told() {
    return Object.fromEntries([...this.#switches].map(([name, to]) => [name, toldOf(to)]))
  }

  /**
   * @param {string} name
   * @param {unknown[]} args
   * @returns {'old' | 'new' | 'shadow'}
   */
  sideOf(name, args) {
    const { side, who } = this.#known(name)
    const to = this.#switches.get(name)
    if (!to) return side
    if (to.share === 1) return 'new'
    if (to.share > 0 && placeInLine(who, args) < to.share) return 'new'
    return to.shadow ? 'shadow' : 'old'
  }

  #known(name) {
    const method = this.#methods.get(name)
    if (method) return method
    const meant = closest(name, this.#methods.keys())
    throw configuration(
      `migrate: neither service has a method ${plain(name)}${meant ? `; did you mean ${meant}?` : '.'}`,
    )
  }

  /** The new state, or undefined for a method that has no switch and stays where it is. */
  #read(name, value) {
    const { switchable, side, who, canShadow } = this.#known(name)
    const to = readSwitch(name, value)
    if (!switchable) {
      if (to.share === (side === 'new' ? 1 : 0) && !to.shadow) return undefined
      throw configuration(`migrate: only the ${side} service has ${name}; there is nothing to switch.`)
    }
    if (who === null && to.share > 0 && to.share < 1) {
      throw configuration(`migrate: ${name} serves no user in particular; its switch is true or false.`)
    }
    if (to.shadow && !canShadow) {
      throw configuration(
        `migrate: ${name} has no shadow mode; only writes to the calendar can be looked at afterwards.`,
      )
    }
    return to
  }

  /** The star reaches every method as far as it makes sense there; the others keep their switch. */
  #ofAll(to) {
    const partly = to.share > 0 && to.share < 1
    return [...this.#switches.keys()]
      .filter((name) => !partly || this.#methods.get(name).who !== null)
      .map((name) => [name, { ...to, shadow: to.shadow && this.#methods.get(name).canShadow }])
  }
}

function readSwitch(name, value) {
  if (typeof value === 'boolean') return { share: value ? 1 : 0, shadow: false }
  if (typeof value === 'number') return { share: shareOf(name, value), shadow: false }
  if (value === 'shadow') return { share: 0, shadow: true }
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    const { share = 0, shadow = false, ...unknown } = value
    if (Object.keys(unknown).length === 0 && typeof shadow === 'boolean') return { share: shareOf(name, share), shadow }
  }
  throw configuration(
    `migrate: the switch of ${plain(name)} must be true, false, a share from 0 to 1, 'shadow' or { share, shadow }.`,
  )
}

function shareOf(name, share) {
  if (typeof share === 'number' && share >= 0 && share <= 1) return share
  throw configuration(`migrate: the share of ${plain(name)} must be from 0 to 1; 0.1 is every tenth user.`)
}

function toldOf({ share, shadow }) {
  if (shadow) return share === 0 ? 'shadow' : { share, shadow }
  return share === 0 ? false : share === 1 ? true : share
}

module.exports = { SwitchTable }
