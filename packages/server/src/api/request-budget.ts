/** How many requests one connection may make. */
export interface RequestBudget {
  /** Takes one: whether it may be answered, must be refused, or shows somebody who does not listen. */
  take(now: number): 'answered' | 'refused' | 'flood'
}

export interface RequestBudgetOptions {
  /** Requests at once. @default 200 */
  burst?: number
  /** Requests a second after that. @default 20 */
  perSecond?: number
  /** Refused ones, with some forgotten in time, after which the connection is a flood. @default 2000 */
  mostRefused?: number
}

/** Refusals forgotten in the time in which one more request may be made. */
const FORGIVEN = 5

export function createRequestBudget(options: RequestBudgetOptions = {}): RequestBudget {
  const { burst = 200, perSecond = 20, mostRefused = 2000 } = options
  let left = burst
  let refused = 0
  let at = 0
  return {
    take(now) {
      const seconds = Math.max(0, now - at) / 1000
      at = now
      left = Math.min(burst, left + seconds * perSecond)
      refused = Math.max(0, refused - seconds * perSecond * FORGIVEN)
      if (left >= 1) {
        left--
        return 'answered'
      }
      return ++refused > mostRefused ? 'flood' : 'refused'
    },
  }
}
