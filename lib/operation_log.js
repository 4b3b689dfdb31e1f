'use strict'

const { LATE, within } = require('./bounded')
const { OpenRecords, recordsOf } = require('./records')

/** Methods whose result speaks of one event. */
const OF_ONE_EVENT = new Set([
  'createEvent',
  'updateEvent',
  'deleteEvent',
  'addAttendeeToEvent',
  'removeAttendeeFromEvent',
])

/** Tells `onOperation` of every write. Whatever it does, the call it is told of is not affected. */
class OperationLog {
  #atWork
  #onOperation
  #write
  #isPlain
  #log
  #open = new OpenRecords()

  /**
   * @param {object} service `atWork`: its CallsAtWork; `onOperation`: gives the callback there is now; `write`: the
   *   public `logOperation`, so that one who replaces it is asked; `isPlain`: whether nobody did; `log`
   */
  constructor({ atWork, onOperation, write, isPlain, log }) {
    this.#atWork = atWork
    this.#onOperation = onOperation
    this.#write = write
    this.#isPlain = isPlain
    this.#log = log
  }

  /**
   * One record for each event that the call was to write.
   *
   * @returns {Promise | undefined} what the call waits for; undefined where nobody reads it, or nobody waits
   */
  record(plan, begun, call, end) {
    if (!plan.recorded) return undefined
    const unread = !this.#onOperation() && this.#isPlain()
    // Of one event that is as it was asked for there is nothing to remember either.
    if (unread && end.result?.success && OF_ONE_EVENT.has(plan.operation)) return undefined
    const records = recordsOf(plan, { ...begun, elapsedMs: call?.elapsedMs ?? 0 }, end)
    for (const record of records) this.#open.remember(record, end.error?.outcome)
    if (unread) return undefined
    // A caller that left, or whose time is over, does not wait for the log.
    const limitMs = end.error?.code === 'ABORTED' ? 0 : (call?.leftMs ?? 0)
    const written = Promise.all(records.map((record) => this.#told(record, limitMs)))
    return limitMs > 0 ? within(written, limitMs) : undefined
  }

  /**
   * The second record of a call whose clean-up came to its end. It may have come to it before the call was answered:
   * then it waits for the first record, which knows the context.
   */
  async settled(notice) {
    if (!this.#open.knows(notice.eventId)) await this.#atWork.ended()
    await this.#told(this.#open.settled(notice), 0)
  }

  /** Entries of `pending()`, each with the context of the call it comes from. */
  withContext(entries) {
    return this.#open.withContext(entries)
  }

  /** Hands a record to the callback, and waits for it no longer than `limitMs`. */
  async handOver(record, limitMs) {
    const onOperation = this.#onOperation()
    if (!onOperation) return
    const work = (async () => onOperation(record))().catch((error) => {
      this.#log('warn', 'onOperation failed; the call it tells of is not affected', lost(record, error))
    })
    if (limitMs <= 0) return
    if ((await within(work, limitMs)) === LATE) this.#log('warn', 'onOperation did not answer in time', lost(record))
  }

  async #told(record, limitMs) {
    try {
      await this.#write(record, limitMs)
    } catch (error) {
      this.#log('warn', 'logOperation failed; the call it tells of is not affected', lost(record, error))
    }
  }
}

/** What a log line says of a record that did not arrive: what its caller knows it by, and the kind of error. */
const lost = ({ context }, ...errors) => ({
  ...(context === null || context === undefined ? {} : { context }),
  ...Object.fromEntries(errors.map((error) => ['error', error instanceof Error ? error.name : typeof error])),
})

module.exports = { OperationLog }
