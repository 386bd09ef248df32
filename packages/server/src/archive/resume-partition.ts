import type { LogReader } from '../consume/log-reader.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { EventStore, Frontier } from '../ports/event-store.ts'
import type { InsertBatchBuilder } from './insert-batch.ts'
import { withinRanges } from './offset-ranges.ts'

export interface ResumeContext {
  log: EventLog
  eventStore: EventStore
  /** Of the log that the frontier belongs to. */
  epoch: number
  reader: LogReader
  range: number
  /** Offset up to which losses of this log were reported. */
  reportedTo: number
  /** Offset up to which an archiver has shown that it had passed the partition; 0 when none has. */
  shownTo(partition: number): Promise<number>
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
 * @param context.range most offsets of one partition that one insert carries
 * @returns rows that were missing, and events that were gone from the log before they were archived
 */
export async function resumePartition(
  partition: number,
  frontier: Frontier | undefined,
  context: ResumeContext,
): Promise<{ mended: number; lost: number }> {
  const { log, eventStore, epoch, reader, range, reportedTo, newBatch, insert } = context
  const { start } = await log.extent(partition)
  if (!frontier) {
    await reader.seek(start, epoch)
    return { mended: 0, lost: Math.max(0, start - reportedTo) }
  }
  const end = frontier.offset + 1
  // What was deleted for its age had been archived long before.
  const from = Math.max(start, frontier.retiredTo, end - range)
  if (from >= end) return { mended: 0, lost: await passGap(partition, end, Math.max(start, end), context) }
  const asking = eventStore.archivedRanges(epoch, partition, from, end)
  // Heard below: a reader must have ended before it is used again.
  asking.catch(() => {})
  await reader.seek(from, epoch)
  const isArchived = withinRanges(await asking)
  // Identities tell whether anything is missing: only if so, the events are read.
  if ((await reader.passOver(end, isArchived)) === 0) return { mended: 0, lost: 0 }
  await reader.seek(from, epoch)
  const missing = newBatch()
  while (reader.position < end) {
    const slice = await reader.next(end - reader.position)
    if (!slice) break
    missing.add(slice, (offset) => !isArchived(offset))
  }
  if (missing.rows > 0) await insert(missing)
  return { mended: missing.rows, lost: 0 }
}

/**
 * What is gone from the log behind the frontier need not be lost: repeats have no rows, so the frontier stays before
 * those that came last.
 * @returns how many of the events were never archived, as far as anybody knows
 */
async function passGap(
  partition: number,
  end: number,
  start: number,
  { reader, epoch, reportedTo, shownTo }: ResumeContext,
): Promise<number> {
  await reader.seek(end, epoch)
  const events = await reader.passOver(start)
  if (events === 0) return 0
  const known = Math.max(reportedTo, await shownTo(partition))
  return Math.max(0, Math.min(events, start - known))
}
