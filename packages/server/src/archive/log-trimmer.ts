import type { Logger } from 'pino'
import type { Clock } from '../ports/clock.ts'
import type { EventLog } from '../ports/event-log.ts'

/** A cold hot store reads so far back behind what is archived, with some slack, ms. */
const COLD_START_MS = 15 * 60_000
const TRIM_EVERY_MS = 60_000

export interface LogTrimmerDependencies {
  log: EventLog & { trim(partition: number, eventsBelow: number, identitiesBelow: number): Promise<void> }
  clock: Clock
  logger: Logger
  /** Offset up to which each partition is archived, less what a resumption looks at again. */
  archivedTo(): number[]
  /** Offset up to which each partition is aggregated. */
  aggregatedTo(): number[]
}

export interface LogTrimmerOptions {
  /** How long events stay although nobody needs them, ms. */
  retentionMs: number
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
  const { retentionMs, duplicateOffsets, duplicateMs } = options
  let timer: NodeJS.Timeout | undefined

  async function trim(): Promise<void> {
    const now = clock.now()
    const archived = archivedTo()
    const aggregated = aggregatedTo()
    for (let partition = 0; partition < log.partitions; partition++) {
      const consumed = Math.min(archived[partition] ?? 0, aggregated[partition] ?? 0)
      const old = await log.offsetAt(partition, now - Math.max(retentionMs, COLD_START_MS))
      const eventsBelow = Math.max(0, Math.min(consumed, old))
      const outOfReach = eventsBelow - duplicateOffsets
      const outOfAge = await log.offsetAt(partition, now - retentionMs - duplicateMs)
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
