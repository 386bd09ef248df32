import type { Logger } from 'pino'
import type { LogReader, ReadSlice } from '../consume/log-reader.ts'
import type { WakeUp } from '../consume/wake-up.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { HotStore } from '../ports/hot-store.ts'
import type { Telemetry } from '../telemetry.ts'
import { PendingDeltas } from './pending-deltas.ts'

export interface PartitionDependencies {
  log: EventLog
  hotStore: HotStore
  clock: Clock
  telemetry: Telemetry
  logger: Logger
  /** Where a cold hot store begins: the offset, and from which minute on it will be complete (epoch ms). */
  coldStart(partition: number): Promise<{ offset: number; completeFrom: number }>
}

/** A process's turn with a partition: until the group gives it to another. */
export interface PartitionRun {
  partition: number
  reader: LogReader
  /** Set to end the run. */
  isOver: boolean
  /** Why the last attempt failed; undefined when all is well. */
  problem: string | undefined
}

export interface PartitionRunContext extends PartitionDependencies {
  wakeUp: WakeUp
  /** Called when the store holds what the log held at the beginning of the run. */
  onCaughtUp(): Promise<void>
  flushMs: number
  flushEvents: number
}

const RETRY_MS = 500

/** Reads a partition into the hot store until its run is over, from where the store's fence stands. */
export async function aggregatePartition(run: PartitionRun, context: PartitionRunContext): Promise<void> {
  const { log, hotStore, clock, telemetry, logger, coldStart, wakeUp, onCaughtUp, flushMs, flushEvents } = context
  const { partition, reader } = run
  let target: number | undefined

  async function resume(): Promise<void> {
    let fence = await hotStore.fence(partition)
    if (fence === undefined) {
      const start = await coldStart(partition)
      await hotStore.begin(partition, start.offset, start.completeFrom)
      fence = start.offset
      target = undefined
    }
    await reader.seek(fence)
    target ??= (await log.extent(partition)).end
  }

  /** Until the run is over, or the store refuses: then its fence must be asked again. */
  async function consume(): Promise<void> {
    const pending = new PendingDeltas()
    let from = reader.position
    let flushedAt = clock.now()
    let isBehind = true

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
    while (!run.isOver) {
      const slice = await reader.next()
      if (reader.cut > cut) {
        // The events that are gone count as read: the fence passes over them.
        const offsets = reader.cut - cut
        telemetry.cut.inc({ stage: 'aggregate' }, offsets)
        logger.error({ partition, offsets }, 'events were gone from the log before they were aggregated')
        cut = reader.cut
      }
      if (slice && !(await takeIn(slice))) return
      const isDue = !slice || clock.now() - flushedAt >= flushMs
      if (isDue && !(await flush(reader.position))) return
      run.problem = undefined
      telemetry.dedupeWindow.set({ partition }, reader.window.reachMs(clock.now()) / 1000)
      telemetry.lag.set({ stage: 'aggregate', partition }, (await log.extent(partition)).end - reader.position)
      if (isBehind && from >= (target ?? 0)) {
        isBehind = false
        await onCaughtUp()
      }
      if (!slice) await wakeUp.sleep(flushMs)
    }
    await flush(reader.position)
  }

  while (!run.isOver) {
    try {
      await resume()
      await consume()
    } catch (error) {
      run.problem = (error as Error).message
      logger.error({ error, partition }, 'aggregation stopped and will be tried again')
      await wakeUp.sleep(RETRY_MS)
    }
  }
}
