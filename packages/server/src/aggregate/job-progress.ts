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
/** Events that wait for longer are called a problem of a job that gets on, ms. */
const LATE_MS = 60_000

export interface JobPositions {
  generation: string
  partitions: readonly CountedPartition[]
}

/** Where the log ended and how far the job was at some time. */
interface Look {
  at: number
  ends: readonly number[]
  next: readonly number[]
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
  /** Another process looks from now on: what was seen last is not to be shown for ever. */
  leave(): void
}

export function createJobProgress(dependencies: JobProgressDependencies): JobProgress {
  const { log, hotStore, eventStore, telemetry, now } = dependencies
  /** The generation whose counts the store is complete with. */
  let known: string | undefined
  /** Of one that is not there yet: where the log ended when it was seen first. */
  let catching: { generation: string; ends: number[]; completeFrom: number } | undefined
  let latest: JobPositions | undefined
  /** When it was further than before, or had nothing to do. */
  let changedAt = now()
  let seen = ''
  /** As far back as it takes to tell that the job is late. */
  let looked: Look[] = []

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

  /** Up to where the job had counted when another process followed it; undefined when none ever did. */
  async function countedBefore(): Promise<number[] | undefined> {
    const fences = await Promise.all(partitions().map((partition) => hotStore.fence(log.epoch, partition)))
    return fences.some(Boolean) ? fences.map((fence) => fence?.offset ?? 0) : undefined
  }

  /** Notes what was seen now. @returns what was seen so long ago that events which are not counted since are late */
  function lookedBefore(look: Look): Look | undefined {
    looked.push(look)
    const since = looked.findLast(({ at }) => look.at - at >= LATE_MS)
    if (since) looked = looked.slice(looked.indexOf(since))
    return since
  }

  /** What is wrong with a job that gets on: events that were there long ago wait. */
  function late(since: Look | undefined, next: readonly number[], behind: number): string | undefined {
    if (!since?.ends.some((end, partition) => (next[partition] as number) < end)) return undefined
    const seconds = (now() - since.at) / 1000
    const counted = next.reduce((sum, offset, partition) => sum + offset - (since.next[partition] as number), 0)
    return `the job in Flink is behind: ${behind} events wait, some for more than ${Math.round(seconds)} s, and it counts ${Math.round(Math.max(0, counted) / seconds)} a second: give it more task slots and CPU, if that lasts (history is not affected)`
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
      const counted = latest ? nextOf(latest) : await countedBefore()
      const next = counted ?? partitions().map(() => 0)
      const end = await ends()
      let behind = 0
      for (const [partition, each] of end.entries()) {
        const lag = each - (next[partition] as number)
        telemetry.lag.set({ stage: 'aggregate', partition }, Math.max(0, lag))
        if (lag < 0) {
          return `the job has counted up to offset ${next[partition]} of partition ${partition}, which ends at ${each}: the topic of events was made anew. Delete the topic ${feedName} and start the job anew, without a savepoint`
        }
        behind += lag
      }
      const since = lookedBefore({ at: now(), ends: end, next })
      if (behind === 0) {
        // It has nothing to write: silence begins with the next event.
        changedAt = now()
        return undefined
      }
      if (now() - changedAt < PATIENCE_MS) return late(since, next, behind)
      const seconds = Math.round((now() - changedAt) / 1000)
      if (counted) {
        return `the job in Flink has written nothing for ${seconds} s and ${behind} events wait: is it running, and do its checkpoints complete? History is not affected`
      }
      return `the topic ${feedName} holds no windows of ours and ${behind} events wait: start the job with nowcast flink --gateway http://… (history is not affected)`
    },

    leave() {
      for (const partition of partitions()) telemetry.lag.remove({ stage: 'aggregate', partition })
    },
  }
}

const words = new Uint32Array(3)

/** A generation as the epoch of a fence of its own: there when its counts were complete once. */
function epochOf(generation: string): number {
  murmur3(generation, 0, words, 0)
  return (words[0] as number) & 0x7fffffff || 1
}
