import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import { createClickHouseEventStore } from './adapters/clickhouse/clickhouse-event-store.ts'
import { createLmdbEventLog, type LmdbEventLog } from './adapters/lmdb/lmdb-event-log.ts'
import { createMemoryHotStore } from './adapters/memory/memory-hot-store.ts'
import { createSoleMember } from './adapters/memory/sole-member.ts'
import type { Config } from './config.ts'
import type { Clock } from './ports/clock.ts'
import type { ConsumerGroup } from './ports/consumer-group.ts'
import type { EventLog } from './ports/event-log.ts'
import type { EventStore } from './ports/event-store.ts'
import type { HotStore } from './ports/hot-store.ts'
import type { Telemetry } from './telemetry.ts'

/** Of a process that archives alone, ms. */
const INSERT_LEASE_MS = 5000
/** Built beside this module. */
const ENGINE_ENTRY = fileURLToPath(new URL('./engine.js', import.meta.url))

export interface OpenAdaptersContext {
  dataDir: string
  clock: Clock
  telemetry: Telemetry
  logger: Logger
}

/** Who provides what the stages need from outside. */
export interface Adapters {
  log: EventLog
  /** The log, where nobody else deletes what is old. */
  trimmableLog: LmdbEventLog | undefined
  hotStore: HotStore
  /** Whether other processes keep the hot store up to date too. */
  isHotStoreShared: boolean
  eventStore: EventStore
  aggregateGroup: ConsumerGroup
  archiveGroup: ConsumerGroup
  /** Offset up to which each partition is archived, by whichever process. */
  sharedArchivedTo: (() => Promise<number[]>) | undefined
  /** How long after a sign of life of this process its inserts are taken, ms; undefined where they end with it. */
  insertLeaseMs: number | undefined
  /** How long the archive may be behind before the log loses what it has not archived, ms. */
  archiveLagMs: number | undefined
  /** Resolves when what is outside was reached, or when `isOver`. */
  start(isOver: () => boolean): Promise<void>
  stop(): Promise<void>
}

/** Opens the embedded log; what is elsewhere is reached by `start`. */
export async function openAdapters(config: Config, { dataDir, clock, logger }: OpenAdaptersContext): Promise<Adapters> {
  const embeddedLog = createLmdbEventLog({
    path: join(dataDir, 'log'),
    partitions: config.partitions,
    maxBytes: config.logBytes,
  })
  await embeddedLog.start()
  const log = embeddedLog
  const hotStore = createMemoryHotStore(clock, {
    get partitions() {
      return log.partitions
    },
    maxBytes: config.hotBytes,
  })
  const eventStore = createClickHouseEventStore(
    config.clickhouse
      ? { url: config.clickhouse }
      : {
          embedded: {
            dataDir: join(dataDir, 'clickhouse'),
            entry: ENGINE_ENTRY,
            onExit: (exit) => logger.error(exit, 'the archive’s engine ended and is started again'),
          },
        },
  )
  return {
    log,
    trimmableLog: embeddedLog,
    hotStore,
    isHotStoreShared: false,
    eventStore,
    aggregateGroup: createSoleMember(log),
    archiveGroup: createSoleMember(log),
    sharedArchivedTo: undefined,
    insertLeaseMs: config.clickhouse === undefined ? undefined : INSERT_LEASE_MS,
    archiveLagMs: undefined,
    async start() {
      await Promise.all([hotStore.start(), eventStore.start()])
    },
    async stop() {
      await hotStore.stop()
      await eventStore.stop()
      await log.stop()
    },
  }
}
