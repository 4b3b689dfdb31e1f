'use strict'

const { OPERATION_NAMES, OPERATION_STATUS } = require('./constants')

/** Calls whose clean-up may still be open are remembered for their second record; beyond this the oldest are let go. */
const REMEMBERED_CALLS = 1000

/**
 * What `onOperation` receives for one event of one call. The keys are the ones old log collections have.
 *
 * @param {object} call `operation`, `userId`, `eventData`, `context`, `elapsedMs`, `place` (the resolved calendar)
 * @param {object} end `result` (of the method) or `error` (a CalendarError)
 */
function recordOf(call, { result, error }) {
  const failed = error !== undefined || result.success === false
  return {
    userId: call.userId,
    operation: OPERATION_NAMES[call.operation],
    status: failed ? OPERATION_STATUS.FAILURE : OPERATION_STATUS.SUCCESS,
    calendarType: call.place?.calendarType ?? null,
    secondaryCalendarId: call.place?.secondaryCalendarId ?? null,
    eventData: call.eventData ?? null,
    executionTimeMs: call.elapsedMs,
    error: error?.message ?? result?.error ?? null,
    errorCode: error?.code ?? result?.errorCode ?? null,
    googleEventId: call.eventId ?? error?.eventId ?? result?.eventId ?? null,
    eventHash: result?.eventHash ?? null,
    verified: result?.verified ?? false,
    verificationDetails: result?.verificationDetails ?? null,
    attempts: error?.attempts ?? result?.attempts ?? 0,
    context: call.context ?? null,
  }
}

/** The message of an event that was left out because adding its attendee took too long. */
const SKIPPED = 'Adding the attendee timed out; the enrollment went on without this event'

/**
 * How a call over several events ended for one of them, as its record tells.
 *
 * @param {object} [told] what a transaction's own step was answered
 */
function endOfEvent(end, index, told) {
  if (!end.result) return end
  const event = end.result.events?.[index] ?? told
  if (!event?.skipped) return { result: { success: true, ...event } }
  return { result: { ...event, success: false, error: SKIPPED, errorCode: 'TIMEOUT' } }
}

/**
 * One record for each event that a write was asked for.
 *
 * @param {object} plan `operation`; `recorded`: of each event what is known of it
 */
function recordsOf({ operation, recorded }, begun, end) {
  const batch = operation === 'createEvents'
  return recorded.map((eventData, index) => {
    if (operation === 'enroll' || operation === 'transaction') {
      return recordOf({ ...begun, ...eventData }, endOfEvent(end, index, eventData.told))
    }
    const of = { ...begun, operation: batch ? 'createEvent' : operation, eventData }
    return recordOf(of, batch && end.result ? { result: end.result.events?.[index] ?? end.result } : end)
  })
}

/** First records (without the event's content) of failed calls, kept until their clean-up has come to an end. */
class OpenRecords {
  #byEvent = new Map()

  /** Remembers a failure's record if something of it may still be in a calendar. */
  remember(record, outcome) {
    const { status, googleEventId } = record
    if (status !== OPERATION_STATUS.FAILURE || googleEventId === null) return
    if (outcome === 'not-sent' || outcome === 'rejected') return
    this.#byEvent.set(googleEventId, { ...record, eventData: null, verificationDetails: null })
    if (this.#byEvent.size > REMEMBERED_CALLS) this.#byEvent.delete(this.#byEvent.keys().next().value)
  }

  /** Whether the first record of a call that left something open at this event was made. */
  knows(eventId) {
    return this.#byEvent.has(eventId)
  }

  /** Entries of `pending()`, with the context of the call each comes from, if this process made it. */
  withContext(entries) {
    return entries.map((entry) => ({ ...entry, context: this.#byEvent.get(entry.eventId)?.context ?? null }))
  }

  /**
   * The second record: the first one's fields, where they are still known, and `settled`.
   *
   * @param {object} notice what the native part says: `operation`, `userId`, `eventId`, `settled`, and more
   */
  settled(notice) {
    const { type: _type, operation, userId, eventId, settled, ...more } = notice
    const first = this.#byEvent.get(eventId)
    this.#byEvent.delete(eventId)
    return {
      ...(first ?? {
        userId,
        operation: OPERATION_NAMES[operation] ?? null,
        status: OPERATION_STATUS.FAILURE,
        googleEventId: eventId,
      }),
      ...more,
      // For the reader, "nothing was ever there" is the same as "it is gone".
      settled: settled === 'kept' ? 'kept' : 'deleted',
    }
  }
}

module.exports = { recordsOf, OpenRecords }
