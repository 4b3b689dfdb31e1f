'use strict'

const { setTimeout: sleep } = require('node:timers/promises')
const { READS_THE_ERROR_MS } = require('./limits')

/**
 * One click: a real HTTP request. The answer as the browser has it.
 *
 * @returns {Promise<{success: boolean, eventId: string|null, message: string|null, tokenFailure: boolean, elapsedMs: number}>}
 */
async function click(url, { user, idempotencyKey, body }) {
  const startedAt = performance.now()
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-user': user, 'x-idempotency-key': idempotencyKey },
    body: JSON.stringify(body),
  })
  const { eventId = null, message = null, tokenFailure = false } = await response.json()
  const elapsedMs = performance.now() - startedAt
  return { success: response.status === 201, eventId, message, tokenFailure, elapsedMs }
}

/** One more click, with the same key, if all were told "failed". */
async function clickAgain(answers, again) {
  if (answers.some(({ success }) => success)) return answers
  await sleep(READS_THE_ERROR_MS)
  return [...answers, await again()]
}

/** Creates a class as people do: a double click, and one more click if both were told "failed". All answers. */
async function createByDoubleClick(appUrl, { teacher, idempotencyKey, form, beginsAfterMs, secondClickAfterMs }) {
  const once = () => click(`${appUrl}/classes`, { user: teacher, idempotencyKey, body: form })
  await sleep(beginsAfterMs)
  const second = sleep(secondClickAfterMs).then(once)
  return clickAgain(await Promise.all([once(), second]), once)
}

/** Enrolls as people do: a click, and one more if it was told "failed". All answers. */
async function enrollByClick(appUrl, teacher, { email, idempotencyKey, clicksAfterMs }) {
  const url = `${appUrl}/courses/${teacher}/enrollments`
  const once = () => click(url, { user: email, idempotencyKey, body: {} })
  await sleep(clicksAfterMs)
  return clickAgain([await once()], once)
}

module.exports = { createByDoubleClick, enrollByClick }
