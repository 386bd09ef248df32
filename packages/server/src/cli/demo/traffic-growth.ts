/** How much of the events before the start belongs to the growth towards the live rate. */
const GROWTH_SHARE = 0.65

export interface TrafficGrowth {
  /** When live traffic began, epoch ms. */
  liveSinceMs: number
  /** The live rate. */
  eventsPerSecond: number
  /** Time to fill before that. */
  backfillMs: number
  /** Events for it, at most about. */
  backfillEvents: number
}

/**
 * Events per second as a function of time: the live rate since the start, and before it few at first and more and
 * more towards it, so that a day is filled quickly and a chart has no step where live traffic begins.
 */
export function growthOf(growth: TrafficGrowth): (atMs: number) => number {
  const { liveSinceMs, eventsPerSecond, backfillMs, backfillEvents } = growth
  const seconds = backfillMs / 1000
  if (eventsPerSecond * seconds <= backfillEvents) return () => eventsPerSecond
  const scale = (GROWTH_SHARE * backfillEvents) / eventsPerSecond
  const grown = scale * (1 - Math.exp(-seconds / scale))
  const first = Math.max(0, (backfillEvents - eventsPerSecond * grown) / (seconds - grown))
  return (atMs) => {
    const age = (liveSinceMs - atMs) / 1000
    return age <= 0 ? eventsPerSecond : first + (eventsPerSecond - first) * Math.exp(-age / scale)
  }
}
