import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Clock } from '../ports/clock.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { EventStore } from '../ports/event-store.ts'
import { keptFrom } from '../record/kept-from.ts'
import type { Telemetry } from '../telemetry.ts'

const RETIRE_EVERY_MS = 3_600_000
/** So long after ingestion has begun to refuse a month's events: for clocks that differ, and requests under way. */
const MARGIN_MS = 86_400_000
const POLL_MS = 200
/** How long a stop waits for a statement under way, ms. */
const LAST_STATEMENT_MS = 2000

export interface MonthRetirerDependencies {
  log: Pick<EventLog, 'partitions' | 'extent'>
  eventStore: Pick<EventStore, 'retireMonths'>
  /** Offset up to which each partition is archived, by whichever process. */
  archivedTo(): Promise<number[]>
  clock: Clock
  telemetry: Pick<Telemetry, 'retiredMonths' | 'strayEvents'>
  logger: Logger
}

export interface MonthRetirerOptions {
  /** Whole months beside the running one that events are kept. */
  rawRetentionMonths: number
  /** The same for their hours; for ever when unset. */
  rollupRetentionMonths?: number | undefined
  /** How long a pass waits for the archive to be where the log is, ms. @default 10 minutes */
  waitMs?: number
}

/** Replaces old months' events by their hours, and deletes old hours. */
export interface MonthRetirer {
  start(): void
  /** Resolves when the pass under way has ended. */
  stop(): Promise<void>
  retire(): Promise<void>
}

/** A retirer that works at the start and then once an hour; any number of processes may do so at once. */
export function createMonthRetirer(dependencies: MonthRetirerDependencies, options: MonthRetirerOptions): MonthRetirer {
  const { log, eventStore, archivedTo, clock, telemetry, logger } = dependencies
  const { rawRetentionMonths, rollupRetentionMonths, waitMs = 600_000 } = options
  const stopped = new AbortController()
  const { signal } = stopped
  let timer: NodeJS.Timeout | undefined
  let running = Promise.resolve()

  /**
   * Until what the log holds now is archived. Events of months that are old now are all in it: ingestion has refused more
   * of them for a day.
   */
  async function allArchived(): Promise<void> {
    const extents = await Promise.all(Array.from({ length: log.partitions }, (_, partition) => log.extent(partition)))
    const deadline = performance.now() + waitMs
    for (;;) {
      const archived = await archivedTo()
      if (extents.every(({ end }, partition) => (archived[partition] ?? 0) >= end)) return
      if (performance.now() > deadline)
        throw new Error('the archive is behind the log, and old events may be in between')
      await sleep(POLL_MS, undefined, { signal })
    }
  }

  async function retire(): Promise<void> {
    const at = clock.now() - MARGIN_MS
    await allArchived()
    const done = await eventStore.retireMonths({
      eventsFrom: keptFrom(at, rawRetentionMonths),
      rollupsFrom: rollupRetentionMonths === undefined ? undefined : keptFrom(at, rollupRetentionMonths),
      signal,
    })
    const { announced, rolledUp, dropped, forgotten, strayed } = done
    for (const [step, months] of Object.entries({ rolled_up: rolledUp, dropped, forgotten }))
      telemetry.retiredMonths.inc({ step }, months.length)
    if (announced.length > 0) logger.info({ months: announced }, 'months are old: their events are refused from now on')
    if (rolledUp.length > 0) logger.info({ months: rolledUp }, 'months were rolled up; their events go in a later pass')
    // Data is gone for good: also in a log that shows no more than warnings.
    if (dropped.length > 0) logger.warn({ months: dropped }, 'events were deleted for their age, their hours stay')
    if (forgotten.length > 0) logger.warn({ months: forgotten }, 'hours were deleted for their age')
    telemetry.strayEvents.set(strayed.reduce((sum, { events }) => sum + events, 0))
    if (strayed.length > 0) {
      logger.error(
        { strayed },
        'events came although their month was rolled up: they are not counted. Have all processes the same rawRetentionMonths?',
      )
    }
  }

  function pass(): void {
    running = running.then(retire).catch((error) => {
      if (!signal.aborted) logger.error({ error }, 'old months could not be retired; it is tried again in an hour')
    })
  }

  return {
    start() {
      pass()
      timer = setInterval(pass, RETIRE_EVERY_MS)
      timer.unref()
    },
    async stop() {
      clearInterval(timer)
      stopped.abort()
      // What a statement under way leaves half done, the next pass ends.
      await Promise.race([running, sleep(LAST_STATEMENT_MS, undefined, { ref: false })])
    },
    retire,
  }
}
