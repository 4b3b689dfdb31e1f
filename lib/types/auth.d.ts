/** Who lets a call in: what `auth` may be, where tokens are kept, and the Express middleware. */

import type { UserId } from './callbacks'

/** Plain credentials, as Google's client keeps them. */
export interface Credentials {
  /** Without it, or when it is about to expire, one is got with the refresh token. */
  access_token?: string | null
  refresh_token?: string | null
  /** Unix time in milliseconds. Without it, the access token is used until Google answers 401. */
  expiry_date?: number | Date | string | null
}

/** A service account's JSON key as Google's console gives it; the assertion is signed here. */
export interface ServiceAccountKey {
  type: 'service_account'
  client_email: string
  /** PEM. It is never logged, sent or put into an error. */
  private_key: string
  private_key_id?: string
  /** The user to act for, with domain-wide delegation. */
  subject?: string
  /** @default full calendar access */
  scopes?: string | string[]
}

/**
 * An auth object of google-auth-library 9 or later, or one that behaves like it.
 * - `OAuth2Client`: its credentials are used and refreshed here, once for all calls of one grant; it gets new tokens by
 *   `setCredentials`, then emits its `tokens` event, with the refresh token in it when that is new.
 * - others (`JWT`, `GoogleAuth`, `Impersonated`, …): asked by `getAccessToken()` or `getRequestHeaders()`, and again
 *   when Google answers 401.
 */
export type AuthClient =
  | { credentials: { access_token?: string | null; refresh_token?: string | null; expiry_date?: number | null } }
  | { getAccessToken(): PromiseLike<AccessTokenAnswer> | AccessTokenAnswer }
  | { getRequestHeaders(): PromiseLike<HeadersAnswer> | HeadersAnswer }

export type AccessTokenAnswer = string | null | undefined | { token?: string | null }
/** A `Headers`, or a plain object, with `authorization: Bearer …`. */
export type HeadersAnswer = { get(name: string): string | null | undefined } | { [name: string]: unknown }

/** An access token, credentials, an auth client, a service account's key, or null: the user's tokens in `tokenStore`. */
export type Auth = string | Credentials | ServiceAccountKey | AuthClient | null | undefined

/**
 * Where the app keeps its users' tokens.
 *
 * @example
 * tokenStore: {
 *   load: async (email) => {
 *     const user = await User.findOne({ email })
 *     return user && {
 *       refresh_token: user.google_refresh_token,
 *       access_token: user.google_access_token,
 *       expiry_date: user.google_token_expiry,
 *     }
 *   },
 *   save: (email, tokens) => User.updateOne({ email }, {
 *     google_refresh_token: tokens.refresh_token,
 *     google_access_token: tokens.access_token,
 *     google_token_expiry: tokens.expiry_date,
 *   }),
 * }
 */
export interface TokenStore {
  /**
   * What is stored for a user; null for nobody. Asked when a call has no token that will do, so that a token which
   * another process saved is used. An exception is STORE_UNAVAILABLE, never "not connected".
   */
  load(userId: string): PromiseLike<StoredTokens> | StoredTokens
  /**
   * Keeps refreshed tokens, the refresh token among them: Google may have replaced it. When it throws, the call goes
   * on with the new token, and saving is tried again in the background.
   */
  save?(userId: string, tokens: RefreshedTokens): unknown
}

/** Credentials, or an access token alone. */
export type StoredTokens = Credentials | { credentials: Credentials } | string | null | undefined

export interface RefreshedTokens {
  access_token: string
  /** Null when there is none. */
  refresh_token: string | null
  /** Unix time in milliseconds; null when Google did not say. */
  expiry_date: number | null
  token_type: string
}

export interface TokenConfig {
  /**
   * A call that begins with less than this left of its access token refreshes it first, in milliseconds.
   * @default 600000
   */
  minValidityMs?: number
  /** What `requireGoogleAuth` does without a fresh token: answer 401, or (false) let the request go on. @default true */
  throwOnFailure?: boolean
}

export interface RefreshOptions {
  /** Reject with CalendarError instead of resolving to null. @default false */
  throwOnFailure?: boolean
  /** Refresh whatever is left of the stored token. @default false */
  forceRefresh?: boolean
  /** Refresh when less than `tokens.minValidityMs` is left; otherwise when less than 5 minutes are. @default false */
  requireFresh?: boolean
  /** The whole call, in milliseconds. @default the config's */
  timeoutMs?: number
  signal?: AbortSignal
}

export interface RequireGoogleAuthOptions {
  /**
   * Whose tokens; the id goes to `tokenStore`. May be async.
   * @default req => req.user?.email ?? req.userEmail ?? req.userId ?? req.user?.id
   */
  user?(req: any): PromiseLike<UserId> | UserId
  /** @default the config's `tokens.throwOnFailure`, as it is when the request comes */
  throwOnFailure?: boolean
  /** At least `tokens.minValidityMs` must be left. @default true */
  requireFresh?: boolean
  /** For the refresh, in milliseconds. @default the config's */
  timeoutMs?: number
}

/** What `requireGoogleAuth` puts on a request. */
export interface GoogleAuthRequest {
  /** A real OAuth2Client when google-auth-library is installed, else plain credentials; either may be a call's `auth`. */
  googleOAuth2Client?: any
  googleTokenValid?: boolean
  /** Only with `throwOnFailure: false`. */
  googleTokenError?: { code: 'TOKEN_REFRESH_FAILED'; message: string; details: string }
}

/** The body of a 401 of `requireGoogleAuth`. */
export type GoogleAuthRefusal =
  | {
      status: 'error'
      message: string
      /** The user never connected Google, or disconnected. */
      code: 'GOOGLE_AUTH_REQUIRED'
      action: string
      details: { userEmail: string | null; timestamp: string }
    }
  | {
      status: 'error'
      message: string
      code: 'GOOGLE_AUTH_FAILED'
      /** The grant is dead: the user must reconnect. False: it may work on the next try. */
      requiresReauth: boolean
      action: string
      details: { error: string; userEmail: string | null; timestamp: string }
    }

/** A middleware for Express 4 and 5. */
export type GoogleAuthMiddleware = (req: any, res: any, next: (error?: any) => void) => Promise<void>
