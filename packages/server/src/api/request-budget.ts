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

/** A budget for each of thousands of connections: plain numbers, and no closure of its own. */
class ConnectionBudget implements RequestBudget {
  private left: number
  private refused = 0
  private at = 0
  private readonly limits: Required<RequestBudgetOptions>

  constructor(limits: Required<RequestBudgetOptions>) {
    this.limits = limits
    this.left = limits.burst
  }

  take(now: number): 'answered' | 'refused' | 'flood' {
    const { burst, perSecond, mostRefused } = this.limits
    const seconds = Math.max(0, now - this.at) / 1000
    this.at = now
    this.left = Math.min(burst, this.left + seconds * perSecond)
    this.refused = Math.max(0, this.refused - seconds * perSecond * FORGIVEN)
    if (this.left >= 1) {
      this.left--
      return 'answered'
    }
    return ++this.refused > mostRefused ? 'flood' : 'refused'
  }
}

const DEFAULTS: Required<RequestBudgetOptions> = { burst: 200, perSecond: 20, mostRefused: 2000 }

export function createRequestBudget(options?: RequestBudgetOptions): RequestBudget {
  return new ConnectionBudget(options ? { ...DEFAULTS, ...options } : DEFAULTS)
}
