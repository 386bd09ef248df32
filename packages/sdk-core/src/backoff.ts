/** Longest wait that a `Retry-After` may ask for, in ms. */
const LONGEST_RETRY_AFTER_MS = 3_600_000

/** The wait before attempt `attempt + 2`: exponential with full jitter, in ms. */
export function backoffMs(attempt: number, minMs: number, maxMs: number, random = Math.random): number {
  return random() * Math.min(maxMs, minMs * 2 ** attempt)
}

/** What a `Retry-After` header (seconds or an HTTP date) asks for in ms, at most an hour; undefined if it says nothing. */
export function retryAfterMs(header: string | null | undefined, now = Date.now()): number | undefined {
  if (!header) return
  const seconds = +header
  const ms = seconds >= 0 ? seconds * 1000 : Date.parse(header) - now
  return ms >= 0 ? Math.min(ms, LONGEST_RETRY_AFTER_MS) : undefined
}
