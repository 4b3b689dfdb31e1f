'use strict'

const { setTimeout: sleep } = require('node:timers/promises')
const { READS_THE_ERROR_MS } = require('./limits')

/** One click: a real HTTP request. The answer as the browser has it. */
async function click(appUrl, { teacher, idempotencyKey, form }) {
  const startedAt = performance.now()
  const response = await fetch(`${appUrl}/classes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-user': teacher, 'x-idempotency-key': idempotencyKey },
    body: JSON.stringify(form),
  })
  const { eventId = null, message = null } = await response.json()
  return { success: response.status === 201, eventId, message, elapsedMs: performance.now() - startedAt }
}

/**
 * Creates a class as people do: a double click, and one more click if both were told "failed".
 *
 * @returns {Promise<{success: boolean, eventId: string|null, message: string|null, elapsedMs: number}[]>} every answer
 */
async function createByDoubleClick(appUrl, lesson) {
  await sleep(lesson.beginsAfterMs)
  const second = sleep(lesson.secondClickAfterMs).then(() => click(appUrl, lesson))
  const answers = await Promise.all([click(appUrl, lesson), second])
  if (answers.some(({ success }) => success)) return answers
  await sleep(READS_THE_ERROR_MS)
  return [...answers, await click(appUrl, lesson)]
}

module.exports = { createByDoubleClick }
