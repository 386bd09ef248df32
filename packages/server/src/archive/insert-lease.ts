import type { ConsumerGroup } from '../ports/consumer-group.ts'
import type { EventStore } from '../ports/event-store.ts'

/** From the store's check of the lease to its commit, and for clocks that run at different speeds, ms. */
const MARGIN_MS = 1000
/** The store's clock is read again after this time, ms. */
const CLOCK_EVERY_MS = 30_000

/**
 * Until when this process may insert what its partitions hold.
 *
 * A member that was stopped does not know that its partitions have been given to another. So each row carries a time,
 * by the store's own clock, after which the store refuses it: half a session time-out after the group last heard of its
 * writer. Whoever takes partitions over waits until the rows of an earlier owner are refused, and what the store had
 * accepted before is committed, and only then looks where the archive stands.
 */
export interface InsertLease {
  /** Whether rows carry the time at all: not where nobody else can have the partitions. */
  readonly isNeeded: boolean
  /** The time that rows sent now carry, epoch ms by the store's clock. */
  insertBefore(): Promise<number | undefined>
  /** Longest time that an insert may take, ms. */
  readonly insertMs: number | undefined
  /** How long a new owner waits before it looks where the archive stands, ms. */
  readonly takeOverMs: number
}

export function createInsertLease(group: ConsumerGroup, eventStore: EventStore): InsertLease {
  const isNeeded = group.sessionTimeoutMs > 0
  const leaseMs = group.sessionTimeoutMs / 2
  /** The store's clock less ours, at most. */
  let ahead = 0
  let readAt = Number.NEGATIVE_INFINITY

  return {
    isNeeded,
    insertMs: isNeeded ? leaseMs : undefined,
    takeOverMs: isNeeded ? leaseMs + leaseMs + MARGIN_MS : 0,
    async insertBefore() {
      if (!isNeeded) return undefined
      if (performance.now() - readAt > CLOCK_EVERY_MS) {
        const storeTime = await eventStore.now()
        // The answer was on its way for a while: the store's clock is at least this far ahead.
        readAt = performance.now()
        ahead = storeTime - readAt
      }
      return Math.floor(group.aliveAt + ahead + leaseMs)
    },
  }
}
