import { setTimeout as sleep } from 'node:timers/promises'
import { createLogReader, type LogReader } from '../consume/log-reader.ts'
import { createWakeUp } from '../consume/wake-up.ts'
import type { ConsumerGroup } from '../ports/consumer-group.ts'
import { aggregatePartition, type PartitionDependencies, type PartitionRun } from './aggregate-partition.ts'

export interface AggregatorDependencies extends PartitionDependencies {
  /** Says which partitions this process aggregates. */
  group: ConsumerGroup
}

export interface AggregatorOptions {
  /** Offsets of a partition a duplicate is looked for backwards. */
  duplicateOffsets: number
  /** Most time between an event and its duplicate, ms. */
  duplicateMs: number
  /** Longest time between an event's arrival and its flush, ms. @default 200 */
  flushMs?: number
  /** Events that are flushed at once, whatever the time. @default 20000 */
  flushEvents?: number
}

/** The stage from the log to one-minute windows. */
export interface Aggregator {
  start(): Promise<void>
  /** Resolves when this process has read all partitions to where they ended when it began with them. */
  readonly caughtUp: Promise<void>
  /** Flushes what is pending, if the store answers at once, and leaves its partitions to others. */
  stop(): Promise<void>
  /** Offset up to which each partition was read by this process. */
  positions(): number[]
  /** Why the last attempt failed; undefined when all is well. */
  readonly problem: string | undefined
}

const COMMIT_EVERY_MS = 1000
/** How long a last flush may keep partitions from the members that wait for them, ms. */
const LAST_FLUSH_MS = 1000

/** Reads the partitions that its group assigns to it, one after the other in turns. */
export function createAggregator(dependencies: AggregatorDependencies, options: AggregatorOptions): Aggregator {
  const { log, group, logger, telemetry } = dependencies
  const { flushMs = 200, flushEvents = 20_000, duplicateOffsets, duplicateMs } = options
  const wakeUp = createWakeUp()
  /** Kept when a partition goes to another process: what a reader knows at an offset is true for ever. */
  const readers: LogReader[] = []
  const runs = new Map<number, PartitionRun>()
  /** The last run of each partition: the next one begins when it has ended. */
  const ended: (Promise<void> | undefined)[] = []
  const behind = new Set<number>()
  let allCaughtUp: () => void = () => {}
  const caughtUp = new Promise<void>((resolve) => {
    allCaughtUp = resolve
  })
  let stopListening: () => void = () => {}
  let committing: NodeJS.Timeout | undefined

  function assign(partitions: readonly number[]): void {
    telemetry.assignments.inc({ stage: 'aggregate' })
    for (const [partition, run] of runs) {
      if (partitions.includes(partition)) continue
      run.isOver = true
      runs.delete(partition)
    }
    for (const partition of partitions) if (!runs.has(partition)) begin(partition)
    wakeUp.wake()
  }

  function begin(partition: number): void {
    readers[partition] ??= createLogReader(log, { partition, duplicateOffsets, duplicateMs })
    const run: PartitionRun = { partition, reader: readers[partition] as LogReader, isOver: false, problem: undefined }
    runs.set(partition, run)
    const onCaughtUp = () => {
      behind.delete(partition)
      if (behind.size === 0) allCaughtUp()
    }
    ended[partition] = (ended[partition] ?? Promise.resolve()).then(() =>
      aggregatePartition(run, { ...dependencies, wakeUp, onCaughtUp, flushMs, flushEvents }),
    )
  }

  return {
    caughtUp,
    get problem() {
      for (const { problem } of runs.values()) if (problem !== undefined) return problem
      return undefined
    },
    async start() {
      for (let partition = 0; partition < log.partitions; partition++) behind.add(partition)
      stopListening = log.onAppend(wakeUp.wake)
      await group.start(assign)
      committing = setInterval(() => {
        const positions = new Map([...runs].map(([partition, { reader }]) => [partition, reader.position]))
        group.commit(positions).catch((error) => logger.debug({ error }, 'the aggregator’s lag could not be shown'))
      }, COMMIT_EVERY_MS)
      committing.unref()
    },
    async stop() {
      clearInterval(committing)
      assign([])
      // Whoever waits for it would wait for ever.
      allCaughtUp()
      const flushed = Promise.all(ended)
      const isShared = group.sessionTimeoutMs > 0
      // A store that is silent keeps nobody waiting: whether the flush is still taken or not, the fence says where to go on.
      await (isShared ? Promise.race([flushed, sleep(LAST_FLUSH_MS, undefined, { ref: false })]) : flushed)
      await group.stop()
      stopListening()
    },
    positions: () => readers.map((reader) => reader.position),
  }
}
