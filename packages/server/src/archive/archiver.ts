import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { createLogReader, type LogReader } from '../consume/log-reader.ts'
import { createWakeUp } from '../consume/wake-up.ts'
import { NowcastError } from '../errors.ts'
import type { ConsumerGroup } from '../ports/consumer-group.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { EventStore } from '../ports/event-store.ts'
import type { Telemetry } from '../telemetry.ts'
import { InsertBatchBuilder } from './insert-batch.ts'
import { createInsertLease } from './insert-lease.ts'
import { resumePartition } from './resume-partition.ts'

export interface ArchiverDependencies {
  log: EventLog
  /** Says which partitions this process archives. */
  group: ConsumerGroup
  eventStore: EventStore
  /** Offset up to which archivers of any process have shown to be; what they passed was not lost. */
  shownTo?: (() => Promise<readonly number[]>) | undefined
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
  /**
   * How long after a sign of life of this process its rows are taken by the store, ms; less than the session time-out of
   * its group. Without it, an insert ends with this process and nobody else archives its partitions.
   */
  leaseMs?: number
}

/** The stage from the log to the event store. */
export interface Archiver {
  /**
   * Reads the known ids of all partitions up to a little before their ends, where the archive most likely stands: it need
   * not be reachable yet. {@link start} would read them, wherever it stands.
   */
  prepare(): Promise<void>
  start(): Promise<void>
  /** Resolves when the store holds what the log held when this process, which has all partitions, began; or at its stop. */
  readonly caughtUp: Promise<void>
  /** Leaves its partitions to others; without others, archives what the log holds, as far as the store answers. */
  stop(): Promise<void>
  /** Offset up to which each partition was archived by this process. */
  positions(): number[]
  /** Most offsets of one partition in one insert: what a resumption looks at again. */
  readonly insertOffsets: number
  /** Why the last attempt failed; undefined when all is well. */
  readonly problem: string | undefined
}

const RETRY_MS = 500
/** How long a process whose partitions others take waits for an insert, or for a log that is silent, ms. */
const LAST_INSERT_MS = 2000
const SHOW_EVERY_MS = 500
const SMALLEST_SHARE = 1 / 256
const BATCH_BYTES = 256 * 1024

/** One writer for all partitions of its process: one insert carries rows of all of them. */
export function createArchiver(dependencies: ArchiverDependencies, options: ArchiverOptions): Archiver {
  const { log, group, eventStore, telemetry, logger } = dependencies
  const {
    lingerMs = 1000,
    insertBytes = 16 * 1024 * 1024,
    insertOffsets = 50_000,
    duplicateOffsets,
    duplicateMs,
    leaseMs,
  } = options
  const wakeUp = createWakeUp()
  const lease = leaseMs === undefined ? undefined : createInsertLease(group, eventStore, leaseMs)
  /** Others go on where this process stops. */
  const isShared = group.sessionTimeoutMs > 0
  /** Kept when a partition goes to another process: what a reader knows at an offset is true for ever. */
  const readers: LogReader[] = []
  const archivedTo: number[] = []
  /** Up to where losses of the log `epoch` were reported. */
  let cutTo: number[] = []
  let assigned: readonly number[] = []
  /** Of the log whose frontiers were read. */
  let epoch = 0
  /** Grows with each assignment. */
  let generation = 0
  let stopping = false
  let preparing = Promise.resolve()
  let running = Promise.resolve()
  let problem: string | undefined
  /** Attempts that have failed one after the other. */
  let failures = 0
  /** Share of the usual insert: less while the store is too slow for a whole one. */
  let share = 1
  let shownAt = Number.NEGATIVE_INFINITY
  /** Where each partition ended when this process began. */
  const targets: number[] = []
  let onCaughtUp: () => void = () => {}
  const caughtUp = new Promise<void>((resolve) => {
    onCaughtUp = resolve
  })
  let stopListening: () => void = () => {}

  function assign(partitions: readonly number[]): void {
    telemetry.assignments.inc({ stage: 'archive' })
    assigned = partitions
    generation++
    for (const partition of partitions) readerOf(partition)
    wakeUp.wake()
  }

  function readerOf(partition: number): LogReader {
    readers[partition] ??= createLogReader(log, { partition, duplicateOffsets, duplicateMs })
    return readers[partition] as LogReader
  }

  async function readKnownIds(): Promise<void> {
    for (let partition = 0; partition < log.partitions && !stopping; partition++) {
      const { end } = await log.extent(partition)
      await readerOf(partition).seek(Math.max(0, end - 2 * insertOffsets))
    }
  }

  const newBatch = () => new InsertBatchBuilder(epoch, BATCH_BYTES, lease !== undefined)

  /** Only as long as the partitions are shared as in `turn`: the lease is the process's, for whatever it holds then. */
  async function send(batch: InsertBatchBuilder, turn: number): Promise<void> {
    if (batch.rows === 0) return
    const insertBefore = await lease?.insertBefore()
    if (turn !== generation) throw new NowcastError('stopping', 'the partitions were shared anew', { retryable: true })
    await eventStore.insert(batch.bytes(insertBefore), lease ? { timeoutMs: lease.insertMs } : undefined)
  }

  /** Finds where the archive of the assigned partitions stands, once no insert of before can change that any more. */
  async function takeOver(turn: number): Promise<void> {
    const until = performance.now() + (lease?.takeOverMs ?? 0)
    while (!(stopping && isShared) && turn === generation && performance.now() < until) {
      await wakeUp.sleep(until - performance.now())
    }
    if (stopping && isShared) return
    if (epoch !== log.epoch) cutTo = []
    epoch = log.epoch
    const frontiers = new Map((await eventStore.frontiers(epoch)).map((frontier) => [frontier.partition, frontier]))
    for (const partition of assigned) {
      if (turn !== generation) return
      const reader = readers[partition] as LogReader
      const { mended, lost } = await resumePartition(partition, frontiers.get(partition), {
        ...{ log, eventStore, epoch, reader, range: insertOffsets, newBatch, insert: (batch) => send(batch, turn) },
        reportedTo: cutTo[partition] ?? 0,
        shownTo: async () => (await dependencies.shownTo?.())?.[partition] ?? 0,
      })
      if (mended > 0) logger.warn({ partition, rows: mended }, 'mended an insert that was torn')
      reportCut(partition, lost)
      cutTo[partition] = reader.position
      archivedTo[partition] = reader.position
    }
  }

  function reportCut(partition: number, offsets: number): void {
    if (offsets <= 0) return
    telemetry.cut.inc({ stage: 'archive' }, offsets)
    logger.error({ partition, offsets }, 'events were gone from the log before they were archived')
  }

  /** The next rows of all partitions, up to the bounds of one insert; undefined when there are none. */
  async function gather(): Promise<InsertBatchBuilder | undefined> {
    const batch = newBatch()
    const bytes = (insertBytes * share) / assigned.length
    const offsets = Math.ceil(insertOffsets * share)
    for (const partition of assigned) {
      const reader = readers[partition] as LogReader
      const { cut } = reader
      const sizeBefore = batch.size
      const to = reader.position + offsets
      while (batch.size - sizeBefore < bytes && reader.position < to) {
        const slice = await reader.next(to - reader.position)
        if (!slice) break
        batch.add(slice)
      }
      if (reader.cut === cut) continue
      reportCut(partition, reader.cut - cut)
      cutTo[partition] = reader.position
      batch.passOver(partition, reader.position)
    }
    return batch.ranges.size > 0 ? batch : undefined
  }

  async function insert(batch: InsertBatchBuilder, turn: number): Promise<void> {
    await send(batch, turn)
    for (const [partition, { from, to }] of batch.ranges) {
      archivedTo[partition] = to
      telemetry.processed.inc({ stage: 'archive' }, to - from)
      telemetry.lag.set({ stage: 'archive', partition }, (await log.extent(partition)).end - to)
    }
    tellCaughtUp()
    if (batch.duplicates > 0) telemetry.duplicates.inc({ stage: 'archive' }, batch.duplicates)
  }

  function tellCaughtUp(): void {
    if (targets.every((target, partition) => (archivedTo[partition] as number) >= target)) onCaughtUp()
  }

  /** Shows how far the archive is, also when nothing comes any more: the last word may have been lost. */
  function showPositions(): void {
    if (performance.now() - shownAt < SHOW_EVERY_MS) return
    shownAt = performance.now()
    const positions = new Map(assigned.map((partition) => [partition, archivedTo[partition] as number]))
    group.commit(positions).catch((error) => logger.debug({ error }, 'the archiver’s lag could not be shown'))
  }

  /** Until the partitions are shared anew, or the end. */
  async function archive(turn: number): Promise<void> {
    let insertedAt = Number.NEGATIVE_INFINITY
    // Others go on where this process stops; without others what the log holds is archived first.
    const isOver = () => turn !== generation || (stopping && isShared)
    tellCaughtUp()
    let batch = await gather()
    while (!isOver() && (!stopping || batch)) {
      showPositions()
      if (!batch) {
        problem = undefined
        failures = 0
        await wakeUp.sleep(lingerMs)
        batch = await gather()
        continue
      }
      const wait = insertedAt + lingerMs - performance.now()
      if (!stopping && wait > 0 && batch.size < insertBytes / 2)
        await new Promise((resolve) => setTimeout(resolve, wait))
      if (isOver()) return
      insertedAt = performance.now()
      const inserting = insert(batch, turn)
      // The next rows are put together while the store works; awaited in any case, lest a failure go unheard.
      const [inserted, next] = await Promise.allSettled([inserting, gather()])
      if (inserted.status === 'rejected') throw inserted.reason
      if (next.status === 'rejected') throw next.reason
      problem = undefined
      failures = 0
      share = Math.min(1, share * 2)
      batch = next.value
    }
  }

  async function run(): Promise<void> {
    while (!(stopping && (failures > 1 || isShared))) {
      const turn = generation
      if (assigned.length === 0) {
        if (stopping) return
        await wakeUp.sleep(RETRY_MS)
        continue
      }
      try {
        await takeOver(turn)
        if (turn === generation) await archive(turn)
        if (stopping) return
      } catch (error) {
        // What became of the last share of the partitions says nothing about the next.
        if (turn !== generation) continue
        problem = (error as Error).message
        if (error instanceof NowcastError && error.code === 'query_timeout') share = Math.max(SMALLEST_SHARE, share / 2)
        logger.error({ error }, 'archiving stopped and will be tried again')
        failures++
        await wakeUp.sleep(Math.min(RETRY_MS * failures, 10_000))
      }
    }
  }

  return {
    insertOffsets,
    caughtUp,
    prepare() {
      // They are read again at the start, if need be, which is tried until it succeeds.
      preparing = readKnownIds().catch((error) => logger.warn({ error }, 'known ids could not be read beforehand'))
      return preparing
    },
    async start() {
      for (let partition = 0; partition < log.partitions; partition++) {
        const { start, end } = await log.extent(partition)
        archivedTo[partition] = start
        targets[partition] = end
      }
      stopListening = log.onAppend(wakeUp.wake)
      await group.start(assign)
      running = run()
    },
    async stop() {
      stopping = true
      wakeUp.wake()
      // Whoever waits for it would wait for ever.
      onCaughtUp()
      await preparing
      if (isShared) {
        // An insert under way is refused or committed before another process looks, whether this one waits for it or not.
        await Promise.all([group.stop(), Promise.race([running, sleep(LAST_INSERT_MS, undefined, { ref: false })])])
      } else {
        await running
        await group.stop()
      }
      stopListening()
    },
    positions: () => [...archivedTo],
    get problem() {
      return problem
    },
  }
}
