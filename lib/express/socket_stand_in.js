'use strict'

const { EventEmitter } = require('node:events')

/** By these a socket tells of its end. */
const ENDINGS = Object.freeze(['close', 'end', 'error', 'finish'])

/** What a socket that is open says of itself. */
const OPEN = Object.freeze({
  closed: false,
  destroyed: false,
  errored: null,
  readable: true,
  readableAborted: false,
  readableEnded: false,
  readyState: 'open',
  writable: true,
  writableAborted: false,
  writableEnded: false,
  writableFinished: false,
})

/** Gone with the connection. */
const ADDRESSES = Object.freeze([
  'localAddress',
  'localFamily',
  'localPort',
  'remoteAddress',
  'remoteFamily',
  'remotePort',
])

const ADDING = Object.freeze(['on', 'addListener', 'once', 'prependListener', 'prependOnceListener'])
const REMOVING = Object.freeze(['off', 'removeListener'])
const CUTTING = Object.freeze(['destroy', 'destroySoon', 'end', 'resetAndDestroy'])

/**
 * A socket that shows no end while it is detached: it looks open, keeps its addresses, and who listens for its end is
 * told later. Everything else is the socket itself.
 */
class SocketStandIn {
  /** What is given away in the socket's place. */
  proxy
  #socket
  #isDetached
  #cut
  #addresses
  /** Listeners for an end that is not told yet. */
  #waiting = new EventEmitter()
  /** One function for each name, as on the socket. */
  #methods = new Map()

  /**
   * @param {import('node:net').Socket} socket
   * @param {object} more
   * @param {object} more.addresses of `addressesOf`
   * @param {() => boolean} more.isDetached
   * @param {() => void} more.cut called before somebody ends the socket through the stand-in
   */
  constructor(socket, { addresses, isDetached, cut }) {
    this.#socket = socket
    this.#isDetached = isDetached
    this.#cut = cut
    this.#addresses = addresses
    for (const name of ADDING) this.#methods.set(name, (event, listener) => this.#add(name, event, listener))
    for (const name of REMOVING) this.#methods.set(name, (event, listener) => this.#remove(event, listener))
    // The socket is the receiver, not the proxy: its getters and methods know nothing of a proxy.
    this.proxy = new Proxy(socket, {
      get: (_target, name) => this.#get(name),
      set: (_target, name, value) => Reflect.set(socket, name, value),
    })
  }

  /** Gives the listeners to the socket, or tells them at once that it is closed. */
  attach() {
    const socket = this.#socket
    for (const name of ENDINGS) {
      for (const listener of this.#waiting.rawListeners(name)) {
        // A wrapper made by `once` would take itself off the wrong emitter.
        const { listener: wrapped } = listener
        if (name === 'close' && socket.closed) Reflect.apply(wrapped ?? listener, socket, [Boolean(socket.errored)])
        else socket[wrapped ? 'once' : 'on'](name, wrapped ?? listener)
      }
    }
    this.#waiting.removeAllListeners()
  }

  #get(name) {
    if (Object.hasOwn(OPEN, name) && this.#isDetached()) return OPEN[name]
    const value = Reflect.get(this.#socket, name)
    if (value === undefined) return this.#addresses[name]
    if (typeof value !== 'function' || name === 'constructor') return value
    if (!this.#methods.has(name)) this.#methods.set(name, this.#handedOn(name))
    return this.#methods.get(name)
  }

  /** The socket's own method, as it is when it is called: others may wrap it later. */
  #handedOn(name) {
    return (...args) => {
      if (CUTTING.includes(name)) this.#cut()
      const answer = this.#socket[name](...args)
      return answer === this.#socket ? this.proxy : answer
    }
  }

  #add(method, event, listener) {
    const emitter = ENDINGS.includes(event) && this.#isDetached() ? this.#waiting : this.#socket
    emitter[method](event, listener)
    return this.proxy
  }

  #remove(event, listener) {
    this.#waiting.removeListener(event, listener)
    this.#socket.removeListener(event, listener)
    return this.proxy
  }
}

/** The addresses of both ends; to be asked while the connection is there. */
const addressesOf = (socket) => Object.fromEntries(ADDRESSES.map((name) => [name, socket[name]]))

module.exports = { SocketStandIn, addressesOf }
