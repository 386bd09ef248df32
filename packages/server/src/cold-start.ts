import type { EventLog } from './ports/event-log.ts'
import type { EventStore, Frontier } from './ports/event-store.ts'

/** An event may lie so far in the future of its received time, ms. */
const FUTURE_MS = 5 * 60_000
/** A cold hot store begins so long before what is archived, ms: {@link FUTURE_MS} and some slack. */
const BACK_MS = 7 * 60_000

/**
 * Where a hot store that holds nothing begins to read a partition, and from which minute on it is then complete. What
 * comes before is the archive's; nothing is copied from it.
 */
export function createColdStart(log: EventLog, eventStore: EventStore, now: () => number) {
  let frontiers: Promise<Map<number, Frontier>> | undefined
  let others: Promise<boolean> | undefined

  return async (partition: number): Promise<{ offset: number; completeFrom: number }> => {
    frontiers ??= eventStore
      .frontiers(log.epoch)
      .then((all) => new Map(all.map((frontier) => [frontier.partition, frontier])))
    others ??= eventStore.hasOtherEpochs(log.epoch)
    const frontier = (await frontiers).get(partition)
    const { start } = await log.extent(partition)
    const offset = frontier ? Math.max(start, await log.offsetAt(partition, frontier.receivedAt - BACK_MS)) : start
    // The whole log is read, and no other log's events are archived: the store will lack nothing.
    if (offset === 0 && !(await others)) return { offset, completeFrom: 0 }
    // Events that were not read were received before the first one that is, so they end a little after it.
    const received =
      frontier && offset > start ? frontier.receivedAt - BACK_MS : await firstReceivedAt(log, partition, offset)
    return { offset, completeFrom: (received ?? now()) + FUTURE_MS }
  }
}

async function firstReceivedAt(log: EventLog, partition: number, offset: number): Promise<number | undefined> {
  for await (const { receivedAt } of log.readIdentities(partition, offset, offset + 1)) return receivedAt[0]
  return undefined
}
