'use strict'

const { validation } = require('./errors')

/**
 * The user's id as text: a non-empty string, a number, or an id object (an ObjectId, a UUID) with `toHexString` or a
 * `toString` of its own.
 *
 * @throws {CalendarError} VALIDATION_FAILED for anything else: "[object Object]" would be one user for everybody
 */
function userIdOf(userId) {
  const text = textOf(userId)
  if (typeof text === 'string' && text !== '') return text
  throw validation('userId', 'must be a non-empty string, a number or an id object such as an ObjectId')
}

function textOf(userId) {
  switch (typeof userId) {
    case 'string':
      return userId
    case 'number':
      return Number.isFinite(userId) ? String(userId) : undefined
    case 'bigint':
      return String(userId)
    case 'object':
      return userId === null || Array.isArray(userId) || userId instanceof Date ? undefined : textOfObject(userId)
    default:
      return undefined
  }
}

function textOfObject(id) {
  try {
    if (typeof id.toHexString === 'function') return id.toHexString()
    // Plain objects of other realms have a toString that is not ours, but it still says "[object".
    const text = typeof id.toString === 'function' && id.toString !== Object.prototype.toString ? id.toString() : ''
    return typeof text === 'string' && !text.startsWith('[object') ? text : undefined
  } catch {
    return undefined
  }
}

/** A caller's event id; its characters are checked where it becomes part of a path. */
function eventIdOf(eventId) {
  if (typeof eventId === 'string' && eventId !== '') return eventId
  throw validation('eventId', 'must be a non-empty string')
}

module.exports = { userIdOf, eventIdOf }
