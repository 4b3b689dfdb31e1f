'use strict'

const { LATE, within } = require('./bounded')
const { OpenRecords, recordsOf } = require('./records')

/** Records of what calls came to, on their way to `onOperation`. Whatever that does, no call is affected. */
class OperationLog {
  #open = new OpenRecords()
  #callback
  #publish
  #log

  /**
   * @param {object} service
   * @param {() => Function | undefined} service.callback the configuration's `onOperation` as it is now
   * @param {(record: object, limitMs: number) => Promise<void>} service.publish the public `logOperation`, so that one who
   *   replaces it is asked
   * @param {(level: string, message: string, more: object) => void} service.log
   */
  constructor({ callback, publish, log }) {
    this.#callback = callback
    this.#publish = publish
    this.#log = log
  }

  /** The records of one call's end. */
  async record(plan, begun, call, end) {
    if (!plan.recorded) return
    const records = recordsOf(plan, { ...begun, elapsedMs: call?.elapsedMs ?? 0 }, end)
    for (const record of records) this.#open.remember(record, end.error?.outcome)
    // A caller that left, or whose time is over, does not wait for the log.
    const limitMs = end.error?.code === 'ABORTED' ? 0 : (call?.leftMs ?? 0)
    const written = Promise.all(records.map((record) => this.#hand(record, limitMs)))
    if (limitMs > 0) await within(written, limitMs)
  }

  /** The second record of a call whose clean-up has come to an end. */
  settled(notice) {
    return this.#hand(this.#open.settled(notice), 0)
  }

  /** Hands a record to the callback, and waits no longer than `limitMs`. */
  async write(record, limitMs) {
    const onOperation = this.#callback()
    if (!onOperation) return
    const work = (async () => onOperation(record))().catch((error) => {
      this.#log('warn', 'onOperation failed; the call it tells of is not affected', { error: nameOf(error) })
    })
    if (limitMs <= 0) return
    if ((await within(work, limitMs)) === LATE) this.#log('warn', 'onOperation did not answer in time', {})
  }

  async #hand(record, limitMs) {
    try {
      await this.#publish(record, limitMs)
    } catch (error) {
      this.#log('warn', 'logOperation failed; the call it tells of is not affected', { error: nameOf(error) })
    }
  }
}

const nameOf = (error) => (error instanceof Error ? error.name : typeof error)

module.exports = { OperationLog }
