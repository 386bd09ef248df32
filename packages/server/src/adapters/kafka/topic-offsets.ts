import { setTimeout as sleep } from 'node:timers/promises'
import type { LogExtent } from '../../ports/event-log.ts'
import { type KafkaError, kafkaErrorOf } from './kafka-error.ts'
import type { TopicView } from './topic-view.ts'
import { EARLIEST, LATEST, type ListedOffset, listOffsetsRequest, readListedOffsets } from './wire/list-offsets.ts'

const ASK_MS = 3000
const TRIES = 3
const RETRY_MS = 100
/** A topic that was just made, or has lost its leader, has one in a moment. */
const SETTLING = ['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE']
const SETTLE_MS = 3000

interface Known {
  start: number
  end: number
  /** `performance.now()` when a broker said so. */
  at: number
}

/** Where the partitions begin and end, as far as it is known, and by asking. */
export interface TopicOffsets {
  /** Without asking; undefined before anybody said so. */
  knownEnd(partition: number): number | undefined
  /** Asks for all partitions at once, when what is known is older than `freshMs`. */
  extent(partition: number, freshMs: number): Promise<LogExtent>
  /** Asks now. */
  ask(partition: number): Promise<{ start: number; end: number }>
  /** First offset that a broker took at `timestamp` or later; the end when there is none. */
  appendedSince(partition: number, timestamp: number): Promise<number>
  /** What a broker has said by the way. */
  note(partition: number, start: number, end: number): void
  /** Events were written up to `end`. */
  noteEnd(partition: number, end: number): void
  reset(): void
}

export function createTopicOffsets(view: TopicView): TopicOffsets {
  let known: (Known | undefined)[] = []
  let asking: Promise<void> | undefined

  async function list(partitions: readonly number[], timestamp: number): Promise<ListedOffset[]> {
    const deadline = performance.now() + SETTLE_MS
    for (let tries = 1; ; tries++) {
      try {
        const { leaders, problem } = view.byLeader(partitions)
        if (leaders.size === 0 && problem) throw problem
        const answers = await Promise.all(
          Array.from(leaders, async ([leader, ofLeader]) =>
            readListedOffsets(
              await view.link(leader, 'ask').send(listOffsetsRequest(view.topic, ofLeader, timestamp), ASK_MS),
            ),
          ),
        )
        const listed = answers.flat()
        for (const { errorCode } of listed) {
          const error = kafkaErrorOf(errorCode)
          if (error) throw error
        }
        return listed
      } catch (error) {
        const isSettling = SETTLING.includes((error as KafkaError).type) && performance.now() < deadline
        if (tries >= TRIES && !isSettling) throw error
        if (tries > 1) await sleep(RETRY_MS)
        // The leader may be another by now.
        await view.refresh()
      }
    }
  }

  async function askAll(partitions: readonly number[]): Promise<void> {
    const [starts, ends] = await Promise.all([list(partitions, EARLIEST), list(partitions, LATEST)])
    const startOf = new Map(starts.map(({ partition, offset }) => [partition, offset]))
    for (const { partition, offset } of ends) {
      known[partition] = { start: startOf.get(partition) ?? 0, end: offset, at: performance.now() }
    }
  }

  async function ask(partition: number): Promise<Known> {
    await askAll([partition])
    return known[partition] as Known
  }

  return {
    knownEnd: (partition) => known[partition]?.end,
    async extent(partition, freshMs) {
      const one = known[partition]
      if (!one || performance.now() - one.at > freshMs) {
        asking ??= askAll(Array.from({ length: view.partitions }, (_, p) => p)).finally(() => {
          asking = undefined
        })
        await asking
      }
      const { start, end } = known[partition] ?? (await ask(partition))
      return { start, identityStart: start, end }
    },
    ask,
    async appendedSince(partition, timestamp) {
      const [found] = await list([partition], timestamp)
      return found && found.offset >= 0 ? found.offset : (await ask(partition)).end
    },
    note(partition, start, end) {
      // An answer may be older than what an append has told.
      known[partition] = { start, end: Math.max(end, known[partition]?.end ?? 0), at: performance.now() }
    },
    noteEnd(partition, end) {
      const one = known[partition]
      if (one && one.end < end) one.end = end
    },
    reset() {
      known = []
    },
  }
}
