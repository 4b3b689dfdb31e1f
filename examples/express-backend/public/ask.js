import { createIdempotencyKey } from '/surecal/index.js'

/**
 * Asks the backend. Resolves in any case: `status` 0 means that no answer came.
 *
 * @param {string} method
 * @param {string} path
 * @param {{body?: unknown, headers?: object}} [more]
 * @returns {Promise<{ok: boolean, status: number, body: any}>}
 */
export async function ask(method, path, { body, headers = {} } = {}) {
  try {
    const response = await fetch(`/api${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    const text = await response.text()
    return { ok: response.ok, status: response.status, body: text === '' ? null : JSON.parse(text) }
  } catch {
    return { ok: false, status: 0, body: null }
  }
}

/** Answers after which the same words are a new intent. After any other, another click is a further try of the same one. */
const SETTLING = [400, 404, 410, 422]

/**
 * Asks for a write. The key is the same for every click and reload until the intent is settled, so a double click, an answer
 * that got lost, and a try after reconnecting are all one class, one enrollment.
 *
 * The button is not disabled meanwhile: that would hide only the second click on this page, and the key takes care of all.
 *
 * @param {string} intentName
 */
export async function askOnce(intentName, method, path, body) {
  const intent = createIdempotencyKey(intentName)
  const answer = await ask(method, path, { body, headers: intent.headers })
  if (answer.ok || SETTLING.includes(answer.status) || answer.body?.code === 'CHANGED_MEANWHILE') intent.settle()
  return answer
}

/** The first of two clicks is at work, and its answer is on its way. */
export const isSecondClick = ({ status, body }) => status === 409 && body?.status === 'duplicate'
