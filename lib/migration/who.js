'use strict'

const { createHash } = require('node:crypto')
const { userIdOf } = require('../identity')

/** Methods that serve nobody in particular: all callers, or none. */
const FOR_NOBODY = [
  'executeWithRetry',
  'withTimeout',
  'isRetryableError',
  'requireGoogleAuth',
  'idempotency',
  'idempotencyMiddleware',
  'errorHandler',
  'clearIdempotency',
  'configure',
  'pending',
  'recover',
  'metrics',
  'prometheus',
  'health',
  'dashboard',
  'close',
]

/** Where methods whose first argument is no user keep one; else what they work on stands for it. */
const WHO = {
  addAttendeeToEvent: (eventId, _email, options) => options?.userId ?? eventId,
  removeAttendeeFromEvent: (eventId, _email, options) => options?.userId ?? eventId,
  enroll: (enrollment) => enrollment?.userId,
  transaction: (_work, options) => options?.userId,
  logOperation: (record) => record?.userId,
}

const firstArgument = (userId) => userId

/**
 * Whom a call is for: a function of its arguments, or null for a method that serves nobody in particular.
 *
 * @param {string} method
 * @param {{[method: string]: (...args: unknown[]) => unknown}} userOf the program's own
 */
function whoOf(method, userOf) {
  if (Object.hasOwn(userOf, method)) return userOf[method]
  if (FOR_NOBODY.includes(method)) return null
  return Object.hasOwn(WHO, method) ? WHO[method] : firstArgument
}

/**
 * A user's place between 0 and 1: the same in every process, for every method and at every time. So a share that
 * grows only adds users, and a user has one service for all methods of one share. 1 where there is no user to be
 * found, which no share but 1 reaches.
 */
function placeInLine(who, args) {
  let text
  try {
    text = userIdOf(who(...args))
  } catch {
    return 1 // The service that is called says what is wrong with it.
  }
  const digest = createHash('sha256').update(`surecal-migrate\0${text}`).digest()
  return digest.readUInt32BE(0) / 2 ** 32
}

module.exports = { whoOf, placeInLine }
