import { LIMITS } from '@nowcast/protocol'
import type { EventLog } from '../ports/event-log.ts'
import type { EventStore } from '../ports/event-store.ts'
import type { HotSet, HotStore } from '../ports/hot-store.ts'
import type { CountedPartition } from '../ports/window-feed.ts'
import { murmur3 } from '../record/murmur3.ts'
import type { Telemetry } from '../telemetry.ts'

/** Times of the feed are to the second. */
const SECOND_MS = 1000
/** Target of a store that is not to count as filled: no fence gets there. */
export const NEVER = Number.MAX_SAFE_INTEGER
/** Target of one that is: wherever its fence stands. */
const REACHED = 0
/** A job that is behind is given so long to get on before that is called a problem, ms. */
const PATIENCE_MS = 30_000

export interface JobPositions {
  generation: string
  partitions: readonly CountedPartition[]
}

export interface JobProgressDependencies {
  log: EventLog
  hotStore: HotStore
  /** Asked only whether it has events of another log. */
  eventStore: Pick<EventStore, 'hasOtherEpochs'>
  telemetry: Pick<Telemetry, 'lag'>
  now(): number
}

/** What the counting job's positions mean for the hot store, and how far it is behind the log. */
export interface JobProgress {
  /**
   * What is to be set beside the counts that belong to these positions, the last of which end at `to`.
   * @param isHeld the store does not count as filled, because some of these counts came before the rest
   */
  take(
    positions: JobPositions,
    to: number,
    isHeld: boolean,
  ): Promise<Pick<HotSet, 'completeFrom' | 'target' | 'reached'>>
  /** To be called when the store may not be what it was. */
  forget(): void
  /** Looks how far the job is behind. @returns what is wrong with it; undefined when all is well */
  check(feedName: string): Promise<string | undefined>
}

export function createJobProgress(dependencies: JobProgressDependencies): JobProgress {
  const { log, hotStore, eventStore, telemetry, now } = dependencies
  /** The generation whose counts the store is complete with. */
  let known: string | undefined
  /** Of one that is not there yet: where the log ended when it was seen first. */
  let catching: { generation: string; ends: number[]; completeFrom: number } | undefined
  let latest: JobPositions | undefined
  let changedAt = now()
  let seen = ''

  const partitions = () => Array.from({ length: log.partitions }, (_, partition) => partition)
  const ends = () => Promise.all(partitions().map(async (partition) => (await log.extent(partition)).end))

  /** From when on the job has counted all events: what it did not read was received before what it read first. */
  async function completeFrom(positions: JobPositions): Promise<number> {
    const hasOthers = await eventStore.hasOtherEpochs(log.epoch)
    const since = positions.partitions.map(({ first, firstAt }) =>
      first === 0 && !hasOthers ? 0 : firstAt + SECOND_MS + LIMITS.futureMs,
    )
    return Math.max(0, ...since)
  }

  const nextOf = ({ partitions: counted }: JobPositions) => {
    const next = partitions().map(() => 0)
    for (const each of counted) next[each.partition] = each.next
    return next
  }

  return {
    async take(positions, to, isHeld) {
      const { generation } = positions
      const next = nextOf(positions)
      latest = positions
      if (String(next) !== seen) {
        seen = String(next)
        changedAt = now()
      }
      const reached = partitions().map((partition) => ({
        epoch: log.epoch,
        partition,
        offset: next[partition] as number,
      }))
      const mark = { epoch: epochOf(generation), partition: 0, offset: to }
      if (known !== generation && (await hotStore.fence(mark.epoch, mark.partition))) known = generation
      if (known === generation) return isHeld ? { reached, target: REACHED } : { reached }
      // Until it has counted what was there when it was seen first, its counts are too low.
      if (catching?.generation !== generation) {
        catching = { generation, ends: await ends(), completeFrom: await completeFrom(positions) }
      }
      const isThere = catching.ends.every((end, partition) => (next[partition] ?? 0) >= end)
      if (!isThere) return { reached, target: NEVER, completeFrom: catching.completeFrom }
      const { completeFrom: since } = catching
      known = generation
      catching = undefined
      return { reached: [...reached, mark], target: REACHED, completeFrom: since }
    },

    forget() {
      known = undefined
      catching = undefined
    },

    async check(feedName) {
      const next = latest ? nextOf(latest) : partitions().map(() => 0)
      let behind = 0
      for (const [partition, end] of (await ends()).entries()) {
        const lag = end - (next[partition] as number)
        telemetry.lag.set({ stage: 'aggregate', partition }, Math.max(0, lag))
        if (lag < 0) {
          return `the job has counted up to offset ${next[partition]} of partition ${partition}, which ends at ${end}: the topic of events was made anew. Delete the topic ${feedName} and start the job anew, without a savepoint`
        }
        behind += lag
      }
      if (behind === 0 || now() - changedAt < PATIENCE_MS) return undefined
      const seconds = Math.round((now() - changedAt) / 1000)
      if (latest) {
        return `the job in Flink has written nothing for ${seconds} s and ${behind} events wait: is it running, and do its checkpoints complete? History is not affected`
      }
      return `the topic ${feedName} holds no windows of ours and ${behind} events wait: start the job with nowcast flink --gateway http://… (history is not affected)`
    },
  }
}

const words = new Uint32Array(3)

/** A generation as the epoch of a fence of its own: there when its counts were complete once. */
function epochOf(generation: string): number {
  murmur3(generation, 0, words, 0)
  return (words[0] as number) & 0x7fffffff || 1
}
