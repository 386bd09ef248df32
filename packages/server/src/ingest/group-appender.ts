import { NowcastError } from '../errors.ts'
import type { EventLog } from '../ports/event-log.ts'
import { RecordBatchBuilder } from '../record/record-batch-builder.ts'

export interface GroupAppenderOptions {
  /** Bytes of rows that may wait while an append is under way. @default 32 MiB */
  maxWaitingBytes?: number
}

/** Events of many requests on their way into the log together. */
export interface AppendGroup {
  /** Where the events of a partition go. */
  builder(partition: number): RecordBatchBuilder
  /** Resolves when all events of the group are durable; rejects when that is unknown. */
  readonly durable: Promise<void>
}

/** Lets concurrent requests share one append, and so one fsync. */
export interface GroupAppender {
  /**
   * The group that is open now: add to it without awaiting anything in between, then call `schedule`.
   * @throws NowcastError `buffer_full` when too much waits already.
   */
  open(): AppendGroup
  /** To be called once everything was added; starts an append when none is under way. */
  schedule(): void
  readonly waitingBytes: number
  /**
   * Why the last append failed; undefined when it did not, or a while ago: a process that is sent nothing because of
   * this would never learn that the log is well again.
   */
  readonly problem: string | undefined
  /** Resolves when nothing waits any more. */
  drain(): Promise<void>
}

const PROBLEM_MS = 10_000

interface OpenGroup extends AppendGroup {
  builders: (RecordBatchBuilder | undefined)[]
  bytes(): number
  settle(error?: unknown): void
}

/** Group commit: one append under way, one group gathering. */
export function createGroupAppender(log: EventLog, options: GroupAppenderOptions = {}): GroupAppender {
  const { maxWaitingBytes = 32 * 1024 * 1024 } = options
  let gathering: OpenGroup | undefined
  let appending: Promise<void> | undefined
  /** Builders whose batches are durable: new memory for each group would be most of the garbage there is. */
  const spare: RecordBatchBuilder[] = []
  let spareBytes = 0
  let failure: { message: string; at: number } | undefined
  let lastEvents = 0
  let lastBytes = 0

  function newGroup(): OpenGroup {
    const builders: (RecordBatchBuilder | undefined)[] = []
    let settle: (error?: unknown) => void = () => {}
    const durable = new Promise<void>((resolve, reject) => {
      settle = (error) => (error === undefined ? resolve() : reject(error))
    })
    // Whoever opened the group awaits it; without this a group nobody added to could not fail in silence.
    durable.catch(() => {})
    return {
      builders,
      durable,
      settle,
      bytes: () => builders.reduce((sum, builder) => sum + (builder?.bytes ?? 0), 0),
      builder(partition) {
        let builder = builders[partition]
        if (!builder) {
          builder = takeSpare() ?? newBuilder()
          builders[partition] = builder
        }
        return builder
      },
    }
  }

  function newBuilder(): RecordBatchBuilder {
    return new RecordBatchBuilder(Math.max(64, lastEvents * 1.25) | 0, Math.max(16_384, lastBytes * 1.25) | 0)
  }

  function takeSpare(): RecordBatchBuilder | undefined {
    const builder = spare.pop()
    spareBytes -= builder?.capacity ?? 0
    return builder
  }

  function keep(builder: RecordBatchBuilder): void {
    if (spareBytes + builder.capacity > maxWaitingBytes) return
    builder.reset()
    spare.push(builder)
    spareBytes += builder.capacity
  }

  async function appendAll(): Promise<void> {
    while (gathering) {
      // One turn of the event loop, so that requests that are already here join.
      await new Promise((resolve) => setImmediate(resolve))
      const group = gathering
      gathering = undefined
      const batches = Array.from(group.builders, (builder) => builder?.finish())
      lastEvents = Math.max(0, ...batches.map((batch) => batch?.count ?? 0))
      lastBytes = Math.max(0, ...batches.map((batch) => batch?.rows.byteLength ?? 0))
      try {
        await log.append(batches)
        for (const builder of group.builders) if (builder) keep(builder)
        failure = undefined
        group.settle()
      } catch (error) {
        failure = { message: (error as Error).message, at: performance.now() }
        group.settle(error)
      }
    }
    appending = undefined
  }

  return {
    get waitingBytes() {
      return gathering?.bytes() ?? 0
    },
    get problem() {
      return failure && performance.now() - failure.at < PROBLEM_MS ? failure.message : undefined
    },
    open() {
      gathering ??= newGroup()
      if (gathering.bytes() > maxWaitingBytes) {
        throw new NowcastError(
          'buffer_full',
          'the log is slower than the events arrive: send the same batch again later',
          {
            retryable: true,
            retryAfterMs: 1000,
          },
        )
      }
      return gathering
    },
    schedule() {
      appending ??= appendAll()
    },
    async drain() {
      while (appending) await appending
    },
  }
}
