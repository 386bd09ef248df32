import type { ErrorBody, ErrorCode } from '@nowcast/protocol'

/** The server's codes, and two of this side: no answer from the server, no token from the host. */
export type NowcastErrorCode = ErrorCode | 'network' | 'token_unavailable'

const RETRYABLE: ReadonlySet<NowcastErrorCode> = new Set<NowcastErrorCode>([
  'network',
  'token_unavailable',
  'rate_limited',
  'internal',
  'log_unavailable',
  'buffer_full',
  'archive_unavailable',
  'hot_store_unavailable',
  'query_timeout',
  'stopping',
  'wrong_role',
])

const TOKEN_CODES: ReadonlySet<NowcastErrorCode> = new Set<NowcastErrorCode>([
  'missing_token',
  'invalid_token',
  'expired_token',
])

/** What went wrong between this client and the server. */
export class NowcastError extends Error {
  override readonly name = 'NowcastError'
  readonly code: NowcastErrorCode
  /** The field of the query that is wrong, where there is one. */
  readonly field: string | undefined
  /** The same request may succeed later; the client tries again by itself. */
  readonly retryable: boolean

  /** The token is missing, wrong or too old: another one may help. */
  readonly needsToken: boolean

  constructor(code: NowcastErrorCode, message: string, options: { field?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.field = options.field
    this.retryable = RETRYABLE.has(code)
    this.needsToken = TOKEN_CODES.has(code)
  }
}

/** Turns the wire's error object into an error; `fallback` is the code where it carries none. */
export function errorFromBody(body: unknown, fallback: NowcastErrorCode, message: string): NowcastError {
  const outer = typeof body === 'object' && body !== null ? (body as Partial<ErrorBody>) : {}
  const inner = (typeof outer.error === 'object' ? outer.error : outer) as Partial<ErrorBody['error']>
  return new NowcastError(inner.code ?? fallback, inner.message ?? message, { field: inner.field })
}

/** Gives any thrown value the shape of a `NowcastError`. */
export function errorFromCause(cause: unknown): NowcastError {
  if (cause instanceof NowcastError) return cause
  return new NowcastError('network', cause instanceof Error ? cause.message : String(cause), { cause })
}
