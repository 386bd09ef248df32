import type { Logger } from 'pino'
import type { WakeUp } from '../consume/wake-up.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { EventStore } from '../ports/event-store.ts'
import type { Fence, HotStore } from '../ports/hot-store.ts'
import type { WindowFeed } from '../ports/window-feed.ts'
import type { Telemetry } from '../telemetry.ts'
import { createJobProgress, NEVER } from './job-progress.ts'
import { PendingRows } from './pending-rows.ts'

export interface FollowDependencies {
  feed: WindowFeed
  /** The log that the windows are counted from. */
  log: EventLog
  hotStore: HotStore
  eventStore: Pick<EventStore, 'hasOtherEpochs'>
  clock: Clock
  telemetry: Telemetry
  logger: Logger
  wakeUp: WakeUp
  /** Told after each change. */
  touched?(): void
}

/** A process's turn with the feed: until the group gives it to another. */
export interface FollowRun {
  /** Set to end the run. */
  isOver: boolean
  /** Why the last attempt failed, or what is wrong with the job; undefined when all is well. */
  problem: string | undefined
  /** Offset up to which the feed was read. */
  position: number
}

const RETRY_MS = 500
/** So often an idle follower asks whether the store still stands where it was left, and how far the job is behind, ms. */
const CONFIRM_MS = 2000
/** Rows that are set in one step. */
const STEP_ROWS = 20_000
const STEP_BYTES = 32 * 1024 * 1024
/** A transaction that is larger is set in parts. */
const MOST_PENDING_BYTES = 64 * 1024 * 1024
/** The feed has one. */
const PARTITION = 0

/** Sets in the hot store what the feed says, until the run is over, from where the store's fence stands. */
export async function followWindows(run: FollowRun, dependencies: FollowDependencies): Promise<void> {
  const { feed, log, hotStore, eventStore, clock, telemetry, logger, wakeUp, touched } = dependencies
  const progress = createJobProgress({ log, hotStore, eventStore, telemetry, now: clock.now })
  /** Of the feed that is read. */
  let { epoch } = feed

  /** Goes to the store's fence. */
  async function resume(): Promise<Fence> {
    epoch = feed.epoch
    // What the store was complete with may be gone with it.
    progress.forget()
    let fence = await hotStore.fence(epoch, PARTITION)
    if (!fence) {
      const offset = await feed.beginning()
      // Nothing is complete before the job says from when on, and that it has caught up.
      const beginning = { epoch, partition: PARTITION, offset, completeFrom: 0, target: NEVER }
      await hotStore.begin(beginning)
      fence = await hotStore.fence(epoch, PARTITION)
      if (!fence) throw new Error('the hot store lost its fences while it was begun anew')
    }
    return fence
  }

  /** Until the run is over, or the store refuses or is not where it was left: then its fence must be asked again. */
  async function consume({ offset: start, cuts }: Fence): Promise<void> {
    const pending = new PendingRows()
    let from = start
    let confirmedAt = Number.NEGATIVE_INFINITY
    /** Set in parts, here or by whoever followed before: the store may not count as filled before the rest is there. */
    let isHalfSet = true
    run.position = start

    /** Sets all that is pending. @param isWhole it ends with a transaction: positions belong to it */
    async function flush(to: number, isWhole: boolean): Promise<boolean> {
      const { positions } = pending
      const news = positions && isWhole ? await progress.take(positions, to, isHalfSet) : undefined
      isHalfSet ||= !isWhole
      while (from < to) {
        const cut = cuts.find((offset) => offset > from) ?? to
        const step = pending.take(STEP_ROWS, STEP_BYTES, Math.min(cut, to))
        // Only the last step belongs to the positions; before it nothing new is complete.
        const isLast = step.to === to && isWhole
        const isHeld = isHalfSet || news?.target !== undefined
        const told = isLast ? news : isHeld ? { target: NEVER } : {}
        const answer = await hotStore.set({ epoch, partition: PARTITION, from, ...step, ...told })
        // Refused with our own `to`: it had happened and only its answer was lost.
        if (!answer.applied && answer.fence !== step.to) return false
        from = step.to
        touched?.()
      }
      if (news) {
        pending.positions = undefined
        isHalfSet = false
      }
      return true
    }

    async function isWhereItWasLeft(): Promise<boolean> {
      if (clock.now() - confirmedAt < CONFIRM_MS) return true
      const fence = await hotStore.fence(epoch, PARTITION)
      run.problem = await progress.check(feed.name)
      confirmedAt = clock.now()
      return fence?.offset === from
    }

    while (!run.isOver) {
      const { to, rows, isWhole } = await feed.read(run.position)
      if (feed.epoch !== epoch) return
      pending.add(rows)
      run.position = to
      if (isWhole || pending.bytes > MOST_PENDING_BYTES) {
        if (to > from && !(await flush(to, isWhole))) return
      }
      if (!(await isWhereItWasLeft())) return
    }
  }

  while (!run.isOver) {
    try {
      await consume(await resume())
    } catch (error) {
      const { message } = error as Error
      // An outage is one line, not one for each attempt.
      if (run.problem !== message) logger.error({ error }, 'windows cannot be followed; it is tried again and again')
      run.problem = message
      await wakeUp.sleep(RETRY_MS)
    }
  }
  progress.leave()
}
