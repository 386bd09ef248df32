import { ERROR_STATUS, type ErrorBody, type ErrorCode } from '@nowcast/protocol'

/** What is known of an error beside its code and its words. */
export interface NowcastErrorOptions {
  /** Whether the same call may succeed later. @default false */
  retryable?: boolean
  /** The field of the request that is wrong. */
  field?: string
  /** When to try again, for 429 and 503. */
  retryAfterMs?: number
  cause?: unknown
}

/** An error with a code that outside callers can act on. */
export class NowcastError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly field: string | undefined
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, message: string, options: NowcastErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'NowcastError'
    this.code = code
    this.retryable = options.retryable ?? false
    this.field = options.field
    this.retryAfterMs = options.retryAfterMs
  }

  /** The HTTP status of an answer with this error. */
  get status(): number {
    return ERROR_STATUS[this.code]
  }

  /** The body of an HTTP answer, or of a refused socket. */
  toBody(): ErrorBody {
    const { code, message, field } = this
    return { error: field === undefined ? { code, message } : { code, message, field } }
  }
}
