import type { ConsumerGroup } from '../ports/consumer-group.ts'
import type { EventStore } from '../ports/event-store.ts'

/** From the store's check of the lease to its commit, and for clocks that run at different speeds, ms. */
const MARGIN_MS = 1000
/** The store's clock is read again after this time, ms. */
const CLOCK_EVERY_MS = 30_000

/**
 * Until when this process may insert what its partitions hold.
 *
 * A member that was stopped does not know that its partitions have been given to another, and an insert whose answer
 * was lost may still be on its way. So each row carries a time, by the store's own clock, after which the store refuses
 * it: `leaseMs` after the group last heard of its writer. Whoever looks where the archive stands waits before that until
 * earlier rows are refused, and what the store had accepted of them is committed.
 */
export interface InsertLease {
  /** The time that rows sent now carry, epoch ms by the store's clock. */
  insertBefore(): Promise<number>
  /** Longest time that an insert may take, ms. */
  readonly insertMs: number
  /** How long to wait before looking where the archive stands, ms. */
  readonly takeOverMs: number
}

/** @param leaseMs less than the group's session time-out, ms */
export function createInsertLease(
  group: Pick<ConsumerGroup, 'aliveAt'>,
  eventStore: Pick<EventStore, 'now'>,
  leaseMs: number,
): InsertLease {
  /** The store's clock less ours, at most. */
  let ahead = 0
  let readAt = Number.NEGATIVE_INFINITY

  return {
    insertMs: leaseMs,
    takeOverMs: leaseMs + leaseMs + MARGIN_MS,
    async insertBefore() {
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
