/**
 * Idempotency keys for web pages; an ES module that needs no bundler.
 *
 * @example
 * <script type="module">
 *   import { createIdempotencyKey } from '/surecal/index.js' // app.use('/surecal', express.static('node_modules/surecal/browser'))
 * </script>
 */

/** One intent of the user's, and its key. */
export interface Intent {
  /** 32 hexadecimal digits, random. */
  readonly key: string
  /** To be spread into the headers of the request. */
  readonly headers: { readonly 'Idempotency-Key': string }
  /**
   * The intent has come to its end: the next `createIdempotencyKey` with this name begins a new one. To be called when
   * the server gave an answer that will not change: 2xx, or a refusal of the input (400, 422), after which the user
   * sends something else. Not after 401, 409, 429, 5xx or a lost connection: then the same request is sent again.
   */
  settle(): void
  /** The key. */
  toString(): string
}

/**
 * The key of one intent: every click, and every load of the page in this tab, gets the same, until it is settled. Kept
 * in sessionStorage; where that is forbidden, in the page.
 *
 * @param name one for each thing that a user may have open: `create-class`, `update-class-7`
 * @example
 * const intent = createIdempotencyKey('create-class')
 * const response = await fetch('/api/classes', {
 *   method: 'POST',
 *   headers: { 'Content-Type': 'application/json', ...intent.headers },
 *   body: JSON.stringify(data),
 * })
 * if (response.ok || response.status === 400 || response.status === 422) intent.settle()
 */
export function createIdempotencyKey(name: string): Intent

/**
 * A key made of the data: two requests with the same data in the same window have the same key, on any page and any
 * device. The order of keys does not count. Two flaws come with it, and `createIdempotencyKey` has neither:
 * - two clicks on either side of a window's edge have two keys, and with a window of five minutes that edge comes every
 *   five minutes;
 * - the same class made twice on purpose within a window is made once.
 *
 * Put the user's id into the data if the server does not scope keys by user.
 *
 * @param data anything JSON can say
 * @param options.windowMs length of a window; Infinity: no window, one key for ever. @default 300000
 * @param options.now Unix time in milliseconds. @default Date.now()
 * @returns 64 hexadecimal digits
 * @example
 * const headers = { 'X-Idempotency-Key': generateIdempotencyKey({ userId, title, schedules }) }
 */
export function generateIdempotencyKey(data: unknown, options?: { windowMs?: number; now?: number }): string
