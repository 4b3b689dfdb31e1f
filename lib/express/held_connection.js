'use strict'

const { showInherited, showOwn } = require('./shown_property')
const { SocketStandIn, addressesOf } = require('./socket_stand_in')

/** What tells of a response's end. */
const ENDINGS = Object.freeze(['close', 'finish'])

/**
 * Keeps the end of a connection from the handler while its answer is held: streams, file servers and compression would
 * else drop an answer that nobody waits for, but that is to be kept. Who listened to the response before sees the real
 * end, at its time. Who comes after, the handler, sees a client that stays; when the answer is whole it is told
 * `finish` and `close`, as for any other.
 */
class HeldConnection {
  #res
  #owner
  #emitted
  #isHeld = true
  /** Whether the connection is gone. */
  #isGone = false
  /** Whether the whole answer was handed to Node. */
  #isWhole = false
  #isFinishTold = false
  /** While those outside are told, they see things as they are. */
  #isAside = false
  #outside
  #standIns = []
  /** Ends the request as Node wanted to. */
  #endRequest

  /**
   * @param {import('node:http').ServerResponse} res
   * @param {object} owner
   * @param {() => void} owner.lost the connection is gone; called once, and only while the answer is held
   * @param {() => void} owner.cut the app ends the connection itself
   */
  constructor(res, owner) {
    this.#res = res
    this.#owner = owner
    this.#emitted = res.emit
    this.#outside = new Map(ENDINGS.map((name) => [name, new Set(res.rawListeners(name))]))
    res.emit = (name, ...args) => this.#emit(name, args)
    const { req } = res
    const socket = req?.socket ?? res.socket
    if (socket) this.#detach(res, req, socket)
    // on-finished has one queue for all who ask, and its head may listen to the real socket already.
    for (const message of [res, req]) if (message?.__onFinished) message.__onFinished = null
    const isLate = res.destroyed
    showOwn(res, 'destroyed', () => false, this.#isShown)
    showInherited(res, 'closed', () => false, this.#isShown)
    if (isLate) this.#lose()
  }

  #isShown = () => this.#isHeld && !this.#isAside

  #detach(res, req, socket) {
    const addresses = addressesOf(socket)
    const { cut } = this.#owner
    let ofAnswer
    showOwn(
      res,
      'socket',
      // An answer that waits for the one before on its connection has no socket yet, and may lose it meanwhile.
      () => (ofAnswer ??= this.#standIn(socket, { addresses, isDetached: () => this.#isHeld, cut })),
      this.#isShown,
    )
    if (!req) return
    let ofRequest
    // Half a request is no request: who still reads it must see its end.
    const isDetached = () => this.#isHeld && req.complete
    showOwn(
      req,
      'socket',
      (real) => real && (ofRequest ??= this.#standIn(socket, { addresses, isDetached, cut })),
      this.#isShown,
    )
    const { destroy } = req
    req.destroy = (...args) => {
      // A request that was read to its end destroys itself as well, and who reads it waits for that.
      const isByNode = args[0]?.code === 'ECONNRESET' && (socket.destroyed || socket.readableEnded)
      if (!this.#isHeld || !isByNode) return Reflect.apply(destroy, req, args)
      // Node tells every request of the connection, but only the answer that has its turn.
      if (socket.destroyed) this.#lose()
      if (!req.complete) return Reflect.apply(destroy, req, args)
      this.#endRequest = () => Reflect.apply(destroy, req, args)
      return req
    }
  }

  #standIn(socket, more) {
    const standIn = new SocketStandIn(socket, more)
    this.#standIns.push(standIn)
    return standIn.proxy
  }

  /** From here on everybody sees what is. Who was kept from an end is told it, a tick later. */
  release() {
    if (!this.#isHeld) return
    this.#isHeld = false
    if (this.#isGone) process.nextTick(() => this.#tellInside())
    else for (const standIn of this.#standIns) standIn.attach()
    if (!this.#isGone && this.#endRequest) process.nextTick(this.#endRequest)
  }

  /** The whole answer was handed to Node: for the handler it has left, whether somebody takes it or not. */
  whole() {
    this.#isWhole = true
  }

  #emit(name, args) {
    if (name === 'close' && this.#isHeld) {
      this.#isAside = true
      try {
        this.#tell('close', args, true)
      } finally {
        this.#isAside = false
        this.#lose()
      }
      return true
    }
    if (name === 'close' && this.#isWhole && !this.#isFinishTold) {
      this.#tell('close', args, true)
      this.#tellInside()
      return true
    }
    if (name === 'finish') this.#isFinishTold = true
    return Reflect.apply(this.#emitted, this.#res, [name, ...args])
  }

  #lose() {
    if (this.#isGone) return
    this.#isGone = true
    this.#owner.lost()
  }

  #tellInside() {
    if (this.#isWhole && !this.#isFinishTold) {
      this.#isFinishTold = true
      this.#tell('finish', [], false)
    }
    this.#tell('close', [], false)
    for (const standIn of this.#standIns) standIn.attach()
    this.#endRequest?.()
  }

  #tell(name, args, isOutside) {
    const outside = this.#outside.get(name)
    for (const listener of this.#res.rawListeners(name)) {
      if (outside.has(listener) === isOutside) Reflect.apply(listener, this.#res, args)
    }
  }
}

module.exports = { HeldConnection }
