/**
 * Idempotency keys for web pages. An ES module without imports: serve this folder, or let a bundler find it.
 * index.d.ts is its manual.
 */
export { createIdempotencyKey } from './intent.js'
export { generateIdempotencyKey } from './stable_key.js'
