import type { Logger } from 'pino'
import { createLogReader, type LogReader } from '../consume/log-reader.ts'
import { createWakeUp } from '../consume/wake-up.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { EventStore } from '../ports/event-store.ts'
import type { Telemetry } from '../telemetry.ts'
import { InsertBatchBuilder } from './insert-batch.ts'
import { resumePartition } from './resume-partition.ts'

export interface ArchiverDependencies {
  log: EventLog
  eventStore: EventStore
  telemetry: Telemetry
  logger: Logger
}

export interface ArchiverOptions {
  /** Offsets of a partition a duplicate is looked for backwards. */
  duplicateOffsets: number
  /** Most time between an event and its duplicate, ms. */
  duplicateMs: number
  /** Longest time between an event's arrival and its insert, ms: fewer, larger parts. @default 1000 */
  lingerMs?: number
  /** Bytes of one insert, about. @default 16 MiB */
  insertBytes?: number
  /** Most offsets of one partition in one insert. @default 50000 */
  insertOffsets?: number
}

/** The stage from the log to the event store. */
export interface Archiver {
  start(): Promise<void>
  /** Archives what the log holds, as far as the store answers. */
  stop(): Promise<void>
  /** Offset up to which each partition is archived. */
  positions(): number[]
  /** Most offsets of one partition in one insert: what a resumption looks at again. */
  readonly insertOffsets: number
  /** Why the last attempt failed; undefined when all is well. */
  readonly problem: string | undefined
}

const RETRY_MS = 500

/** One writer for all partitions: one insert carries rows of all of them. */
export function createArchiver(dependencies: ArchiverDependencies, options: ArchiverOptions): Archiver {
  const { log, eventStore, telemetry, logger } = dependencies
  const {
    lingerMs = 1000,
    insertBytes = 16 * 1024 * 1024,
    insertOffsets = 50_000,
    duplicateOffsets,
    duplicateMs,
  } = options
  const wakeUp = createWakeUp()
  const readers: LogReader[] = []
  const archivedTo: number[] = []
  let stopping = false
  let running = Promise.resolve()
  let problem: string | undefined

  async function resume(): Promise<void> {
    const frontiers = new Map((await eventStore.frontiers(log.epoch)).map((frontier) => [frontier.partition, frontier]))
    for (const [partition, reader] of readers.entries()) {
      const mended = await resumePartition(log, eventStore, reader, partition, frontiers.get(partition), insertOffsets)
      if (mended > 0) logger.warn({ partition, rows: mended }, 'mended an insert that was torn')
      archivedTo[partition] = reader.position
    }
  }

  /** The next rows of all partitions, up to the bounds of one insert; undefined when there are none. */
  async function gather(): Promise<InsertBatchBuilder | undefined> {
    const batch = new InsertBatchBuilder(log.epoch, 256 * 1024)
    const share = insertBytes / readers.length
    for (const reader of readers) {
      const sizeBefore = batch.size
      const to = reader.position + insertOffsets
      while (batch.size - sizeBefore < share && reader.position < to) {
        const slice = await reader.next(to - reader.position)
        if (!slice) break
        batch.add(slice)
      }
    }
    return batch.ranges.size > 0 ? batch : undefined
  }

  async function insert(batch: InsertBatchBuilder): Promise<void> {
    if (batch.rows > 0) await eventStore.insert(batch.bytes())
    for (const [partition, { from, to }] of batch.ranges) {
      archivedTo[partition] = to
      telemetry.processed.inc({ stage: 'archive' }, to - from)
      telemetry.lag.set({ stage: 'archive', partition }, (await log.extent(partition)).end - to)
    }
    if (batch.duplicates > 0) telemetry.duplicates.inc({ stage: 'archive' }, batch.duplicates)
  }

  async function archive(): Promise<void> {
    let insertedAt = Number.NEGATIVE_INFINITY
    let batch = await gather()
    while (!stopping || batch) {
      if (!batch) {
        await wakeUp.sleep(lingerMs)
        batch = await gather()
        continue
      }
      const wait = insertedAt + lingerMs - performance.now()
      if (!stopping && wait > 0 && batch.size < insertBytes / 2)
        await new Promise((resolve) => setTimeout(resolve, wait))
      insertedAt = performance.now()
      const inserting = insert(batch)
      // The next rows are put together while the store works; awaited in any case, lest a failure go unheard.
      const [inserted, next] = await Promise.allSettled([inserting, gather()])
      if (inserted.status === 'rejected') throw inserted.reason
      if (next.status === 'rejected') throw next.reason
      problem = undefined
      batch = next.value
    }
  }

  async function run(): Promise<void> {
    for (let failures = 0; ; ) {
      try {
        await resume()
        problem = undefined
        failures = 0
        await archive()
        return
      } catch (error) {
        problem = (error as Error).message
        logger.error({ error }, 'archiving stopped and will be tried again')
        failures++
        if (stopping && failures > 1) return
        await wakeUp.sleep(Math.min(RETRY_MS * failures, 10_000))
      }
    }
  }

  return {
    insertOffsets,
    async start() {
      for (let partition = 0; partition < log.partitions; partition++) {
        readers[partition] = createLogReader(log, { partition, duplicateOffsets, duplicateMs })
        archivedTo[partition] = (await log.extent(partition)).start
      }
      log.onAppend(wakeUp.wake)
      running = run()
    },
    async stop() {
      stopping = true
      wakeUp.wake()
      await running
    },
    positions: () => [...archivedTo],
    get problem() {
      return problem
    },
  }
}
