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
  /** Counts that are held now. */
  readonly size: number
}

/** A limit by whole seconds. */
export function createRateLimit(options: RateLimitOptions = {}): RateLimit {
  const { requestsPerSecond = 500, maxAddresses = 100_000 } = options
  let counts = new Map<string, number>()
  let window = 0
  let refusal: NowcastError | undefined
  return {
    get size() {
      return counts.size
    },
    take(key, address, now) {
      const current = Math.floor(now / WINDOW_MS)
      if (current !== window) {
        window = current
        counts = new Map()
        refusal = undefined
      }
      let slot = `${key} ${networkOf(address)}`
      if (!counts.has(slot) && counts.size >= maxAddresses) slot = ''
      const count = (counts.get(slot) ?? 0) + 1
      counts.set(slot, count)
      const limit = slot === '' ? requestsPerSecond * 10 : requestsPerSecond
      if (count > limit) {
        // One for all: to make an error costs more than the request that it refuses.
        refusal ??= new NowcastError(
          'rate_limited',
          `more than ${requestsPerSecond} requests a second from one address: send larger batches`,
          { retryable: true, retryAfterMs: WINDOW_MS - (now % WINDOW_MS) },
        )
        throw refusal
      }
    },
  }
}

/** The address; of IPv6 its /64, since that is what one customer has. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) while (groups.length < 4) groups.push('0')
  return groups.slice(0, 4).join(':')
}
