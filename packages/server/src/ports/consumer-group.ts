/**
 * The processes of one role that share the partitions of the log. Membership only shares work: a member that was
 * stopped for a while may go on although its partitions have been given to another, so what it writes is fenced by the
 * stores themselves.
 */
export interface ConsumerGroup {
  /**
   * Joins. `onAssigned` is called with the partitions this member is to read, each time they change; with none as soon
   * as the members begin to share anew, and when this one can no longer be heard by the others.
   */
  start(onAssigned: (partitions: readonly number[]) => void): Promise<void>
  /** Leaves, so that the others take over at once. */
  stop(): Promise<void>
  /** When the group last heard this member (`performance.now()`, ms). */
  readonly aliveAt: number
  /** How long a member may be silent before its partitions are given to others, ms; 0 when there can be no others. */
  readonly sessionTimeoutMs: number
  /** Why the group cannot be joined, or does not answer; undefined when all is well. */
  readonly problem?: string | undefined
  /** Shows the outside how far the partitions were read; nothing relies on it. */
  commit(positions: ReadonlyMap<number, number>): Promise<void>
}
