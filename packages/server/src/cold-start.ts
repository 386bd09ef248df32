import { LIMITS } from '@nowcast/protocol'
import type { EventLog } from './ports/event-log.ts'
import type { EventStore, Frontier } from './ports/event-store.ts'

/** A cold hot store begins so long before what is archived, ms: {@link LIMITS.futureMs} and some slack. */
const BACK_MS = 7 * 60_000
/** Partitions that begin together share what was asked of the archive so long ago, ms. */
const ASKED_MS = 1000

/**
 * Where a hot store that holds nothing begins to read a partition, and from which minute on it is then complete. What
 * comes before is the archive's; nothing is copied from it.
 */
export function createColdStart(log: EventLog, eventStore: EventStore, now: () => number) {
  let asked: Promise<[Map<number, Frontier>, boolean]> | undefined
  let askedAt = 0

  /** What is archived, asked once for partitions that begin together; again after a failure. */
  function archived(): Promise<[Map<number, Frontier>, boolean]> {
    if (now() - askedAt > ASKED_MS) asked = undefined
    if (!asked) askedAt = now()
    asked ??= Promise.all([eventStore.frontiers(log.epoch), eventStore.hasOtherEpochs(log.epoch)]).then(
      ([frontiers, others]) => [new Map(frontiers.map((frontier) => [frontier.partition, frontier])), others],
      (error) => {
        asked = undefined
        throw error
      },
    )
    return asked
  }

  return async (partition: number): Promise<{ offset: number; completeFrom: number }> => {
    const [frontiers, others] = await archived()
    const frontier = frontiers.get(partition)
    const { start } = await log.extent(partition)
    const offset = frontier ? Math.max(start, await log.offsetAt(partition, frontier.receivedAt - BACK_MS)) : start
    // The whole log is read, and no other log's events are archived: the store will lack nothing.
    if (offset === 0 && !others) return { offset, completeFrom: 0 }
    // Events that were not read were received before the first one that is, so they end a little after it.
    const received =
      frontier && offset > start ? frontier.receivedAt - BACK_MS : await firstReceivedAt(log, partition, offset)
    return { offset, completeFrom: (received ?? now()) + LIMITS.futureMs }
  }
}

async function firstReceivedAt(log: EventLog, partition: number, offset: number): Promise<number | undefined> {
  for await (const { receivedAt } of log.readIdentities(partition, offset, offset + 1)) return receivedAt[0]
  return undefined
}
