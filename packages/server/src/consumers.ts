import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { type Aggregator, createAggregator } from './aggregate/aggregator.ts'
import { createWindowFollower } from './aggregate/window-follower.ts'
import { createArchiver } from './archive/archiver.ts'
import { createLogTrimmer } from './archive/log-trimmer.ts'
import { createMonthRetirer } from './archive/month-retirer.ts'
import { createColdStart } from './cold-start.ts'
import type { Config } from './config.ts'
import { type Adapters, DUPLICATE_MS } from './open-adapters.ts'
import type { Clock } from './ports/clock.ts'
import type { Telemetry } from './telemetry.ts'

/** How long windows wait for an archive that is behind before they are filled beside it, ms. */
const ARCHIVE_FIRST_MS = 3000

export interface ConsumersDependencies {
  config: Config
  adapters: Adapters
  clock: Clock
  telemetry: Telemetry
  logger: Logger
}

/** The stages that read the log, as far as this process has their roles. */
export interface Consumers {
  /** What {@link start} can begin with before anything but the log is reached. */
  prepare(): Promise<void>
  /**
   * Resolves when every event of the log is in the answers. Live figures that this process keeps to itself are then
   * complete, or the archive is, and answers until they are.
   */
  start(): Promise<void>
  stop(): Promise<void>
  /** Whether windows that this process keeps to itself, if any, hold what the log held, or do so within `mostMs`. */
  filled(mostMs: number): Promise<boolean>
  /** The duplicate rule of this log. */
  readonly duplicates: { duplicateOffsets: number; duplicateMs: number }
  /** Offset up to which each partition is archived. */
  archivedTo(): Promise<number[]>
  /** What keeps the stages from working; undefined when all is well. */
  problems(): { aggregate: string | undefined; archive: string | undefined }
}

/** The consumers of a log that is open. */
export function createConsumers({ config, adapters, clock, telemetry, logger }: ConsumersDependencies): Consumers {
  const { log, hotStore, eventStore, trimmableLog } = adapters
  const duplicates = {
    duplicateOffsets: Math.ceil(config.duplicateOffsets / log.partitions),
    duplicateMs: DUPLICATE_MS,
  }
  const consumer = { log, clock, telemetry, logger }
  const aggregator = config.roles.includes('aggregate') ? createCounter() : undefined

  /** Counts the windows here, or follows those that a job in Flink counts. */
  function createCounter(): Aggregator {
    const { bus, aggregateGroup: group, windowFeed: feed } = adapters
    const counter = { ...consumer, hotStore, group, touched: bus.publish }
    if (feed) return createWindowFollower({ ...counter, feed, eventStore })
    return createAggregator({ ...counter, coldStart: createColdStart(log, eventStore, clock.now) }, duplicates)
  }

  const archiver = config.roles.includes('archive')
    ? createArchiver(
        { ...consumer, eventStore, group: adapters.archiveGroup, shownTo: adapters.sharedArchivedTo },
        { ...duplicates, ...(adapters.insertLeaseMs === undefined ? {} : { leaseMs: adapters.insertLeaseMs }) },
      )
    : undefined
  const trimmer =
    trimmableLog && aggregator && archiver
      ? createLogTrimmer(
          {
            ...consumer,
            log: trimmableLog,
            aggregatedTo: aggregator.positions,
            archivedTo: () => archiver.positions().map((position) => position - archiver.insertOffsets),
          },
          { retentionMs: config.logRetentionMs, maxBytes: config.logBytes, ...duplicates },
        )
      : undefined
  const archivedTo = async () => (await adapters.sharedArchivedTo?.()) ?? archiver?.positions() ?? []
  const { rawRetentionMonths, rollupRetentionMonths } = config
  const monthRetirer =
    archiver && rawRetentionMonths !== undefined
      ? createMonthRetirer({ ...consumer, eventStore, archivedTo }, { rawRetentionMonths, rollupRetentionMonths })
      : undefined
  const isOwn = !adapters.isHotStoreShared && aggregator !== undefined
  let isStopped = false

  return {
    duplicates,
    prepare: async () => archiver?.prepare(),
    async start() {
      await archiver?.start()
      // One after the other: the archive needs no more than what came last, and answers while the windows are filled
      // again. One that others may write to is waited for much longer before it is looked at.
      const isAlone = adapters.insertLeaseMs === undefined && adapters.archiveGroup.sessionTimeoutMs === 0
      if (isOwn && archiver && isAlone)
        await Promise.race([archiver.caughtUp, sleep(ARCHIVE_FIRST_MS, undefined, { ref: false })])
      if (isStopped) return
      await aggregator?.start()
      // Shared figures say themselves from when on they are complete.
      if (isOwn) await Promise.race([aggregator.caughtUp, ...(archiver ? [archiver.caughtUp] : [])])
      if (isStopped) return
      trimmer?.start()
      monthRetirer?.start()
    },
    async stop() {
      isStopped = true
      trimmer?.stop()
      await Promise.all([monthRetirer?.stop(), aggregator?.stop(), archiver?.stop()])
    },
    async filled(mostMs) {
      if (!isOwn) return true
      return Promise.race([aggregator.caughtUp.then(() => true), sleep(mostMs, false, { ref: false })])
    },
    archivedTo,
    problems: () => ({ aggregate: aggregator?.problem, archive: archiver?.problem }),
  }
}
