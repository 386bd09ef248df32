import { LIMITS } from '@nowcast/protocol'
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
  /** Told after each flush. */
  touched?(): void
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
  onCaughtUp(): void
  flushMs: number
  flushEvents: number
}

const RETRY_MS = 500
/** How often a cold store is given a further target. */
const MOST_TARGETS = 4
/** An idle reader asks so often whether the store still stands where it was left, ms. */
const CONFIRM_MS = 2000

/** Reads a partition into the hot store until its run is over, from where the store's fence stands. */
export async function aggregatePartition(run: PartitionRun, context: PartitionRunContext): Promise<void> {
  const { log, hotStore, clock, telemetry, logger, touched, coldStart, wakeUp, onCaughtUp, flushMs, flushEvents } =
    context
  const { partition, reader } = run
  /** Of the log that is read. */
  let { epoch } = log
  let target: number | undefined
  /** Targets that this run may still give a store that it has begun. */
  let targetsLeft = 0

  /** Goes to the store's fence. @returns offsets at which flushes must end */
  async function resume(): Promise<readonly number[]> {
    epoch = log.epoch
    let fence = await hotStore.fence(epoch, partition)
    if (!fence) {
      const start = await coldStart(partition)
      target = (await log.extent(partition)).end
      targetsLeft = MOST_TARGETS
      await hotStore.begin({ epoch, partition, ...start, target })
      fence = await hotStore.fence(epoch, partition)
      if (!fence) throw new Error('the hot store lost its fences while it was begun anew')
    }
    await reader.seek(fence.offset, epoch)
    target ??= (await log.extent(partition)).end
    return fence.cuts
  }

  /** Until the run is over, or the store refuses or is not where it was left: then its fence must be asked again. */
  async function consume(cuts: readonly number[]): Promise<void> {
    const pending = new PendingDeltas()
    let from = reader.position
    let flushedAt = clock.now()
    let confirmedAt = flushedAt
    let isBehind = true
    let completeFrom: number | undefined

    /**
     * New events come, and are archived, while a cold store is being filled. One that answered as soon as it has the old
     * ones would know less than the archive did before it. Each stretch that is added takes far less than the last.
     */
    async function furtherTarget(to: number): Promise<number | undefined> {
      if (targetsLeft === 0 || to < (target ?? 0)) return undefined
      const { end } = await log.extent(partition)
      targetsLeft = end > to ? targetsLeft - 1 : 0
      if (end === to) return undefined
      target = end
      return end
    }

    async function flush(to: number): Promise<boolean> {
      flushedAt = clock.now()
      if (to === from) return true
      telemetry.processed.inc({ stage: 'aggregate' }, to - from)
      if (pending.duplicates > 0) telemetry.duplicates.inc({ stage: 'aggregate' }, pending.duplicates)
      const further = await furtherTarget(to)
      const place = { epoch, partition, from, to }
      const answer = await hotStore.flush({ ...place, completeFrom, target: further, ...pending.take() })
      // Refused with our own `to`: the flush had happened and only its answer was lost.
      if (!answer.applied && answer.fence !== to) return false
      touched?.()
      from = to
      completeFrom = undefined
      confirmedAt = flushedAt
      return true
    }

    /** A store that lost its last writes stands lower again, and without new events no flush would be refused. */
    async function isWhereItWasLeft(): Promise<boolean> {
      if (clock.now() - confirmedAt < CONFIRM_MS) return true
      const fence = await hotStore.fence(epoch, partition)
      confirmedAt = clock.now()
      return fence?.offset === from && fence.cuts.length === 0
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
      const stop = cuts.find((offset) => offset > reader.position) ?? Number.POSITIVE_INFINITY
      const slice = await reader.next(stop - reader.position)
      if (reader.cut > cut) {
        // The events that are gone count as read: the fence passes over them.
        const offsets = reader.cut - cut
        telemetry.cut.inc({ stage: 'aggregate' }, offsets)
        logger.error({ partition, offsets }, 'events were gone from the log before they were aggregated')
        cut = reader.cut
        // They were received before the first that is left, or before now, so they end a little after that.
        completeFrom = (slice?.batch.receivedAt[slice.first] ?? clock.now()) + LIMITS.futureMs
      }
      if (slice && !(await takeIn(slice))) return
      const isDue = !slice || clock.now() - flushedAt >= flushMs || reader.position === stop
      if (isDue && !(await flush(reader.position))) return
      if (!slice && !(await isWhereItWasLeft())) return
      run.problem = undefined
      telemetry.dedupeWindow.set({ partition }, reader.window.reachMs(clock.now()) / 1000)
      telemetry.lag.set({ stage: 'aggregate', partition }, (await log.extent(partition)).end - reader.position)
      if (isBehind && from >= (target ?? 0)) {
        isBehind = false
        onCaughtUp()
      }
      if (!slice) await wakeUp.sleep(flushMs)
    }
    await flush(reader.position)
  }

  while (!run.isOver) {
    try {
      await consume(await resume())
    } catch (error) {
      if (run.isOver) return
      const { message } = error as Error
      // An outage is one line, not one for each attempt.
      if (run.problem !== message)
        logger.error({ error, partition }, 'aggregation stopped and is tried again and again')
      run.problem = message
      await wakeUp.sleep(RETRY_MS)
    }
  }
}
