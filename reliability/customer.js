'use strict'

const { setTimeout: sleep } = require('node:timers/promises')

/** Whoever was told "failed" by every click tries again with the same key, this often at most, after reading the message. */
const FURTHER_TRIES = 3
const READS_THE_ERROR_MS = 1_000
/** Whoever was cut off, or told that the first click is still at work, asks again, as a page does by itself; so often at most. */
const MOST_CLICKS = 100
const ASKS_AGAIN_MS = 500

const isSuccess = (answer) => answer.status === 200 || answer.status === 201
/** Tells nothing of how it ended. */
const isOpen = (answer) => answer === 'cut' || answer.status === 409
/** "Reconnect your account", "you may not": nobody clicks again on that. */
const isFinal = ({ status, body }) =>
  body.requiresReauth === true || body.retryable === false || status === 403 || status === 404

/**
 * One operation as people do it: a click, perhaps a double click, and more clicks until something is known.
 *
 * @param {import('./backend_process').BackendProcess} backend
 * @param {object} step of the workload
 * @param {number} hungMs a click without an answer for this long: its sender gives up
 * @returns {Promise<{told: 'success'|'failed'|'nothing', answers: object[], clicks: number, failures: number, hung: boolean, elapsedMs: number}>}
 */
async function carryOut(backend, step, hungMs) {
  const startedAt = performance.now()
  const route = step.kind === 'create' ? '/classes' : '/enrollments'
  const user = step.kind === 'create' ? step.teacher : step.student
  const answers = []
  const click = async () => {
    const answer = await backend.post(route, { user, key: step.key, body: step.body, limitMs: hungMs })
    answers.push(answer)
    return answer
  }
  const outcome = (told) => ({
    told,
    answers: answers.filter((answer) => typeof answer === 'object'),
    clicks: answers.length,
    failures: answers.filter((answer) => answer.status >= 400 && answer.status !== 409).length,
    cut: answers.filter((answer) => answer === 'cut').length,
    hung: answers.includes('hung'),
    elapsedMs: performance.now() - startedAt,
  })

  const clicks = [click()]
  if (step.secondClickAfterMs !== null) clicks.push(sleep(step.secondClickAfterMs).then(click))
  let last = await Promise.all(clicks)
  for (let failures = 0; ;) {
    if (last.some(isSuccess)) return outcome('success')
    if (last.includes('hung')) return outcome('nothing')
    const told = last.filter((answer) => !isOpen(answer))
    if (told.some(isFinal)) return outcome('failed')
    failures += told.length > 0 ? 1 : 0
    if (failures > FURTHER_TRIES || answers.length >= MOST_CLICKS) return outcome(failures > 0 ? 'failed' : 'nothing')
    const wait = Math.max(...last.map(({ retryAfterMs }) => retryAfterMs ?? 0))
    await sleep(Math.max(wait, told.length > 0 ? READS_THE_ERROR_MS : ASKS_AGAIN_MS))
    last = [await click()]
  }
}

module.exports = { carryOut, FURTHER_TRIES }
