/** `idempotency(options)`: one run of the handler for each key of a user. */

import type { UserId } from './callbacks'

/** A middleware for Express 4 and 5. */
export type IdempotencyMiddleware = (req: any, res: any, next: (error?: any) => void) => Promise<void> | void

export interface IdempotencyOptions {
  /**
   * Who asks: one user's key says nothing about another's. May be async. No scope is answered 500 CONFIGURATION, never
   * by a space that all users share. At most 4096 bytes.
   * @default req => req.userId ?? req.user?.id ?? req.user?._id
   */
  scope?(req: any): PromiseLike<UserId | null | undefined> | UserId | null | undefined
  /** A request without a key is answered 400. False: it goes on, with one warning to the logger. @default false */
  required?: boolean
  /** Other methods go on unguarded. @default ['POST', 'PUT', 'PATCH', 'DELETE'] */
  methods?: string[]
  /**
   * What makes two requests the same; another one under a used key is answered 422. May be async. Stored as a hash.
   * @default method, path, query and body; the order of keys and parameters says nothing
   */
  fingerprint?(req: any): PromiseLike<string> | string
  /**
   * Where the key is looked for: 1 to 255 visible ASCII characters, bare or as a quoted string (RFC 8941). Two headers
   * with two keys are answered 400.
   * @default ['Idempotency-Key', 'X-Idempotency-Key']
   */
  headers?: string[]
  /**
   * Statuses below 500 that are kept beside 2xx: an answer about the input, say. 401, 403, 408, 409, 425, 429 and 5xx
   * are never kept: the user reconnects, or tries again, and is served. 206 neither.
   * @default []
   */
  replayable?: number[]
  /**
   * Headers that are kept and replayed beside Content-Type, Content-Encoding, Content-Language, Content-Disposition,
   * Content-Location, Location, ETag, Last-Modified, Cache-Control, Vary and Link. Set-Cookie is refused.
   * @default []
   */
  safeHeaders?: string[]
  /** A longer body goes through as it comes and is not kept, with a warning. At most 8 MiB. @default 1048576 */
  maxBodyBytes?: number
  /**
   * The body of a refusal. `'guide'`: a request that still runs is `{ status: 'duplicate', message, retryAfter }`, all
   * others are an {@link ErrorBody}. `'problem+json'`: RFC 9457.
   * @default 'guide'
   */
  conflict?: 'guide' | 'problem+json'
  /**
   * When the store does not answer: 503, or let the request on unguarded (with `req.idempotencyKey`, so that events
   * are still made once).
   * @default 'refuse'
   */
  storeDown?: 'refuse' | 'allow'
  /** How long an answer is kept, 1000 to 30 days, in milliseconds. @default the config's `idempotency.ttlMs` */
  ttlMs?: number
  /**
   * How long a handler that does not answer keeps the key once its client is gone, in milliseconds. An answer that ends
   * before is kept, a pipe or a file too; until then the handler is not told that the client left. One that does not is
   * broken off.
   * @default 120000
   */
  orphanMs?: number
}

/** What `idempotency` puts on a request that has a key. */
export interface IdempotentRequest {
  /**
   * The key for `createEvent`, `createEvents` and the app's own tables: 43 characters made of scope, route and the
   * client's key. No other user's and no other route's is the same.
   */
  idempotencyKey?: string
}

/** The body of a 409 with `conflict: 'guide'`. */
export interface DuplicateBody {
  status: 'duplicate'
  message: 'This request is currently being processed'
  /** Seconds; the same as the header Retry-After. */
  retryAfter: number
}
