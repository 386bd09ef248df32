import { createWakeUp } from '../consume/wake-up.ts'
import type { ConsumerGroup } from '../ports/consumer-group.ts'
import type { WindowFeed } from '../ports/window-feed.ts'
import type { Aggregator } from './aggregator.ts'
import { type FollowDependencies, type FollowRun, followWindows } from './follow-windows.ts'

export interface WindowFollowerDependencies extends Omit<FollowDependencies, 'wakeUp'> {
  feed: WindowFeed
  /** Says whether this process is the one that follows. */
  group: ConsumerGroup
}

const COMMIT_EVERY_MS = 1000
/** The feed has one. */
const PARTITION = 0

/** The stage from windows that somebody else counts to the hot store: in place of an aggregator. */
export function createWindowFollower(dependencies: WindowFollowerDependencies): Aggregator {
  const { group, logger, telemetry } = dependencies
  const wakeUp = createWakeUp()
  let run: FollowRun | undefined
  /** The last run: the next one begins when it has ended. */
  let ended: Promise<void> = Promise.resolve()
  let committing: NodeJS.Timeout | undefined

  function assign(partitions: readonly number[]): void {
    telemetry.assignments.inc({ stage: 'aggregate' })
    const isOurs = partitions.includes(PARTITION)
    if (run && !isOurs) {
      run.isOver = true
      run = undefined
    } else if (!run && isOurs) {
      const next: FollowRun = { isOver: false, problem: undefined, position: 0 }
      run = next
      ended = ended.then(() => followWindows(next, { ...dependencies, wakeUp }))
    }
    wakeUp.wake()
  }

  return {
    // Until the job has caught up, the archive answers: nobody has to wait for it.
    caughtUp: Promise.resolve(),
    get problem() {
      return run?.problem
    },
    async start() {
      await group.start(assign)
      committing = setInterval(() => {
        const positions = new Map(run ? [[PARTITION, run.position]] : [])
        group.commit(positions).catch((error) => logger.debug({ error }, 'the aggregator’s lag could not be shown'))
      }, COMMIT_EVERY_MS)
      committing.unref()
    },
    async stop() {
      clearInterval(committing)
      assign([])
      await ended
      await group.stop()
    },
    positions: () => [],
  }
}
