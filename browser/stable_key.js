import { sha256 } from './sha256.js'

/** Five minutes. */
const WINDOW_MS = 5 * 60 * 1000

/**
 * A key made of the data itself and of the window of time it is made in.
 *
 * @param {unknown} data
 * @param {{windowMs?: number, now?: number}} [options]
 */
export function generateIdempotencyKey(data, { windowMs = WINDOW_MS, now = Date.now() } = {}) {
  if (typeof windowMs !== 'number' || !(windowMs > 0))
    throw new TypeError('generateIdempotencyKey: windowMs must be more than 0')
  // Infinity: a key of the data alone.
  const timeWindow = Number.isFinite(windowMs) ? Math.floor(now / windowMs) : 'always'
  return sha256(`${timeWindow}\n${canonical(JSON.parse(JSON.stringify(data ?? null)))}`)
}

/** JSON text with the keys of every object in one order. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)
  return `{${members.join()}}`
}
