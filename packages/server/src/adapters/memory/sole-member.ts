import type { ConsumerGroup } from '../../ports/consumer-group.ts'

/** The group of a process that has the log for itself: all partitions, for ever. */
export function createSoleMember(log: { readonly partitions: number }): ConsumerGroup {
  return {
    async start(onAssigned) {
      onAssigned(Array.from({ length: log.partitions }, (_, partition) => partition))
    },
    async stop() {},
    get aliveAt() {
      return performance.now()
    },
    sessionTimeoutMs: 0,
    async commit() {},
  }
}
