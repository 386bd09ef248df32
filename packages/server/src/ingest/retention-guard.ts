import type { Logger } from 'pino'
import { NowcastError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventLog } from '../ports/event-log.ts'

const CHECK_EVERY_MS = 10_000

export interface RetentionGuardDependencies {
  log: EventLog
  clock: Clock
  logger: Logger
  /** Offset up to which each partition is archived. */
  archivedTo(): Promise<number[]>
}

/**
 * Refuses events while the archive is so far behind that the log would lose, for their age, events that are not
 * archived yet. Events that are not acknowledged stay with their senders.
 */
export interface RetentionGuard {
  start(): void
  stop(): void
  /** Why events cannot be taken now; undefined when they can. */
  refusal(): NowcastError | undefined
  /** Looks at once. */
  check(): Promise<void>
}

/** @param archiveLagMs how long an event may wait for the archive, ms; undefined for a log that loses nothing */
export function createRetentionGuard(
  { log, clock, logger, archivedTo }: RetentionGuardDependencies,
  archiveLagMs: (() => number) | undefined,
): RetentionGuard {
  let refusal: NowcastError | undefined
  let timer: NodeJS.Timeout | undefined

  async function check(): Promise<void> {
    if (archiveLagMs === undefined) return
    const archived = await archivedTo()
    const mostMs = archiveLagMs()
    const oldestAllowed = clock.now() - mostMs
    let isBehind = false
    for (let partition = 0; partition < log.partitions && !isBehind; partition++) {
      isBehind = (archived[partition] ?? 0) < (await log.offsetAt(partition, oldestAllowed))
    }
    if (isBehind === (refusal !== undefined)) return
    const hours = Math.round(mostMs / 360_000) / 10
    refusal = isBehind
      ? new NowcastError(
          'log_unavailable',
          `the archive is more than ${hours} hours behind, and the log would soon lose what is not archived: is ClickHouse reachable, and a process with the role archive running? Send the same batch again later`,
          { retryable: true, retryAfterMs: 30_000 },
        )
      : undefined
    if (refusal) logger.error(refusal.message)
    else logger.warn('the archive has caught up, events are taken again')
  }

  return {
    start() {
      if (archiveLagMs === undefined) return
      timer = setInterval(() => {
        check().catch((error) => logger.warn({ error }, 'how far the archive is behind could not be read'))
      }, CHECK_EVERY_MS)
      timer.unref()
    },
    stop: () => clearInterval(timer),
    refusal: () => refusal,
    check,
  }
}
