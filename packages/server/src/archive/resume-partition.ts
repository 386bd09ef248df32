import type { LogReader } from '../consume/log-reader.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { EventStore, Frontier } from '../ports/event-store.ts'
import type { InsertBatchBuilder } from './insert-batch.ts'

export interface ResumeContext {
  log: EventLog
  eventStore: EventStore
  /** Of the log that the frontier belongs to. */
  epoch: number
  reader: LogReader
  range: number
  newBatch(): InsertBatchBuilder
  insert(batch: InsertBatchBuilder): Promise<void>
}

/**
 * Finds where the archive of a partition stands, from the store alone, and mends the last insert.
 *
 * Everything below the frontier's last `range` offsets is archived. Within them an insert may be torn, since rows of
 * several months are several parts: what is missing there is inserted again. Leaves `reader` behind the frontier, or at
 * the start of the log where that is higher.
 *
 * @param options.range most offsets of one partition that one insert carries
 * @returns rows that were missing, and the first offset that is not archived, which the log may have lost
 */
export async function resumePartition(
  partition: number,
  frontier: Frontier | undefined,
  { log, eventStore, epoch, reader, range, newBatch, insert }: ResumeContext,
): Promise<{ mended: number; frontier: number }> {
  const { start } = await log.extent(partition)
  if (!frontier) {
    await reader.seek(start, epoch)
    return { mended: 0, frontier: 0 }
  }
  const end = frontier.offset + 1
  const from = Math.max(start, end - range)
  if (from >= end) {
    await reader.seek(Math.max(start, end), epoch)
    return { mended: 0, frontier: end }
  }
  const archived = new Set(await eventStore.archivedOffsets(epoch, partition, from, end))
  await reader.seek(from, epoch)
  const missing = newBatch()
  while (reader.position < end) {
    const slice = await reader.next(end - reader.position)
    if (!slice) break
    missing.add(slice, (offset) => !archived.has(offset))
  }
  if (missing.rows > 0) await insert(missing)
  return { mended: missing.rows, frontier: end }
}
