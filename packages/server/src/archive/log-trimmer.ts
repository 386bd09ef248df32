import type { Logger } from 'pino'
import type { Clock } from '../ports/clock.ts'
import type { EventLog } from '../ports/event-log.ts'

/** A cold hot store reads so far back behind what is archived, with some slack, ms. */
const COLD_START_MS = 15 * 60_000
const TRIM_EVERY_MS = 60_000
const HALF_FULL = 0.5
const NEARLY_FULL = 0.8

export interface LogTrimmerDependencies {
  log: EventLog & {
    trim(partition: number, eventsBelow: number, identitiesBelow: number): Promise<void>
    usedBytes(): number
  }
  clock: Clock
  logger: Logger
  /** Offset up to which each partition is archived, less what a resumption looks at again. */
  archivedTo(): number[]
  /** Offset up to which each partition is aggregated. */
  aggregatedTo(): number[]
}

export interface LogTrimmerOptions {
  /** How long events stay although nobody needs them, ms; shorter once the log is half full. */
  retentionMs: number
  /** Bytes at which the log takes no more. */
  maxBytes: number
  /** Offsets of a partition a duplicate is looked for backwards. */
  duplicateOffsets: number
  /** Most time between an event and its duplicate, ms. */
  duplicateMs: number
}

/** Deletes from an embedded log what neither consumer needs any more. */
export interface LogTrimmer {
  start(): void
  stop(): void
  trim(): Promise<void>
}

/** A trimmer that works once a minute. */
export function createLogTrimmer(dependencies: LogTrimmerDependencies, options: LogTrimmerOptions): LogTrimmer {
  const { log, clock, logger, archivedTo, aggregatedTo } = dependencies
  const { retentionMs, maxBytes, duplicateOffsets, duplicateMs } = options
  let timer: NodeJS.Timeout | undefined

  /** How long events stay now, ms. */
  function keptMs(): number {
    const fill = log.usedBytes() / maxBytes
    if (fill < HALF_FULL) return Math.max(retentionMs, COLD_START_MS)
    // Nearly full, even a quick restart matters less than taking events.
    return fill < NEARLY_FULL ? COLD_START_MS : 0
  }

  async function receivedAt(partition: number, offset: number): Promise<number | undefined> {
    for await (const chunk of log.readIdentities(partition, offset, offset + 1)) return chunk.receivedAt[0]
    return undefined
  }

  async function trim(): Promise<void> {
    const now = clock.now()
    const kept = keptMs()
    const archived = archivedTo()
    const aggregated = aggregatedTo()
    for (let partition = 0; partition < log.partitions; partition++) {
      const consumed = Math.min(archived[partition] ?? 0, aggregated[partition] ?? 0)
      const old = await log.offsetAt(partition, now - kept)
      const eventsBelow = Math.max(0, Math.min(consumed, old))
      const outOfReach = eventsBelow - duplicateOffsets
      // Of the first event that may be read again, which may have waited for days.
      const oldest = Math.min(now - retentionMs, (await receivedAt(partition, eventsBelow)) ?? now)
      const outOfAge = await log.offsetAt(partition, oldest - duplicateMs)
      await log.trim(partition, eventsBelow, Math.min(eventsBelow, Math.max(0, outOfReach, outOfAge)))
    }
  }

  return {
    start() {
      timer = setInterval(() => {
        trim().catch((error) => logger.error({ error }, 'the log could not be trimmed'))
      }, TRIM_EVERY_MS)
      timer.unref()
    },
    stop: () => clearInterval(timer),
    trim,
  }
}
