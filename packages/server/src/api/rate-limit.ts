import { NowcastError } from '../errors.ts'

const WINDOW_MS = 1000

export interface RateLimitOptions {
  /** Requests a second of one key from one address. @default 500 */
  requestsPerSecond?: number
  /** Addresses counted apart within a second; all others share one count. @default 100000 */
  maxAddresses?: number
}

/** Counts requests; `take` throws NowcastError `rate_limited` beyond the limit. */
export interface RateLimit {
  take(key: string, address: string, now: number): void
}

/** A limit by whole seconds. */
export function createRateLimit(options: RateLimitOptions = {}): RateLimit {
  const { requestsPerSecond = 500, maxAddresses = 100_000 } = options
  let counts = new Map<string, number>()
  let window = 0
  return {
    take(key, address, now) {
      const current = Math.floor(now / WINDOW_MS)
      if (current !== window) {
        window = current
        counts = new Map()
      }
      let slot = `${key} ${address}`
      if (!counts.has(slot) && counts.size >= maxAddresses) slot = ''
      const count = (counts.get(slot) ?? 0) + 1
      counts.set(slot, count)
      const limit = slot === '' ? requestsPerSecond * 10 : requestsPerSecond
      if (count > limit) {
        const retryAfterMs = WINDOW_MS - (now % WINDOW_MS)
        throw new NowcastError(
          'rate_limited',
          `more than ${requestsPerSecond} requests a second from one address: send larger batches`,
          { retryable: true, retryAfterMs },
        )
      }
    },
  }
}
