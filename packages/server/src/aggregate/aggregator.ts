import type { Logger } from 'pino'
import { createLogReader, type LogReader, type ReadSlice } from '../consume/log-reader.ts'
import { createWakeUp } from '../consume/wake-up.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { HotStore } from '../ports/hot-store.ts'
import type { Telemetry } from '../telemetry.ts'
import { PendingDeltas } from './pending-deltas.ts'

export interface AggregatorDependencies {
  log: EventLog
  hotStore: HotStore
  clock: Clock
  telemetry: Telemetry
  logger: Logger
  /** Where a cold hot store begins: the offset, and from which minute on it will be complete (epoch ms). */
  coldStart(partition: number): Promise<{ offset: number; completeFrom: number }>
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
  /** Resolves when the windows hold what the log held at the call. */
  start(): Promise<void>
  /** Flushes what is pending. */
  stop(): Promise<void>
  /** Offset up to which each partition was read. */
  positions(): number[]
}

const RETRY_MS = 500

/** Reads every partition, one after the other in turns. */
export function createAggregator(dependencies: AggregatorDependencies, options: AggregatorOptions): Aggregator {
  const { log, hotStore, clock, telemetry, logger, coldStart } = dependencies
  const { flushMs = 200, flushEvents = 20_000, duplicateOffsets, duplicateMs } = options
  const wakeUp = createWakeUp()
  let stopping = false
  const running: Promise<void>[] = []
  const readers: LogReader[] = []

  async function runPartition(partition: number, reader: LogReader, caughtUp: () => void): Promise<void> {
    const target = (await log.extent(partition)).end
    while (!stopping) {
      try {
        await resume(partition, reader)
        await consume(partition, reader, target, caughtUp)
      } catch (error) {
        logger.error({ error, partition }, 'aggregation stopped and will be tried again')
        await wakeUp.sleep(RETRY_MS)
      }
    }
  }

  async function resume(partition: number, reader: LogReader): Promise<void> {
    let fence = await hotStore.fence(partition)
    if (fence === undefined) {
      const start = await coldStart(partition)
      await hotStore.begin(partition, start.offset, start.completeFrom)
      fence = start.offset
    }
    await reader.seek(fence)
  }

  async function consume(partition: number, reader: LogReader, target: number, caughtUp: () => void): Promise<void> {
    const pending = new PendingDeltas()
    let from = reader.position
    let flushedAt = clock.now()

    async function flush(to: number): Promise<boolean> {
      flushedAt = clock.now()
      if (to === from) return true
      telemetry.processed.inc({ stage: 'aggregate' }, to - from)
      if (pending.duplicates > 0) telemetry.duplicates.inc({ stage: 'aggregate' }, pending.duplicates)
      const answer = await hotStore.flush({ partition, from, to, ...pending.take() })
      // Refused with our own `to`: the flush had happened and only its answer was lost.
      if (!answer.applied && answer.fence !== to) return false
      from = to
      return true
    }

    async function takeIn(slice: ReadSlice): Promise<boolean> {
      let index = slice.first
      while (index < slice.last) {
        index = pending.add(slice, index)
        const to = slice.offset + index
        if (index < slice.last && !(await flush(to))) return false
      }
      return pending.events < flushEvents || flush(slice.to)
    }

    let { cut } = reader
    while (!stopping) {
      const slice = await reader.next()
      if (reader.cut > cut) {
        // The events that are gone count as read: the fence passes over them.
        telemetry.cut.inc({ stage: 'aggregate' }, reader.cut - cut)
        logger.error(
          { partition, offsets: reader.cut - cut },
          'events were gone from the log before they were aggregated',
        )
        cut = reader.cut
      }
      if (slice && !(await takeIn(slice))) return
      const isDue = !slice || clock.now() - flushedAt >= flushMs
      if (isDue && !(await flush(reader.position))) return
      telemetry.dedupeWindow.set({ partition }, reader.window.reachMs(clock.now()) / 1000)
      telemetry.lag.set({ stage: 'aggregate', partition }, (await log.extent(partition)).end - reader.position)
      if (reader.position >= target && from >= target) caughtUp()
      if (!slice) await wakeUp.sleep(flushMs)
    }
    await flush(reader.position)
  }

  return {
    async start() {
      log.onAppend(wakeUp.wake)
      const ready: Promise<void>[] = []
      for (let partition = 0; partition < log.partitions; partition++) {
        const reader = createLogReader(log, { partition, duplicateOffsets, duplicateMs })
        readers[partition] = reader
        ready.push(
          new Promise((resolve) => {
            const caughtUp = () => {
              void hotStore.caughtUp(partition)
              resolve()
            }
            running.push(runPartition(partition, reader, caughtUp))
          }),
        )
      }
      await Promise.all(ready)
    },
    async stop() {
      stopping = true
      wakeUp.wake()
      await Promise.all(running)
    },
    positions: () => readers.map((reader) => reader.position),
  }
}
