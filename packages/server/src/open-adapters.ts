import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectionOptions } from 'node:tls'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import { createClickHouseEventStore } from './adapters/clickhouse/clickhouse-event-store.ts'
import { createDruidEventStore } from './adapters/druid/druid-event-store.ts'
import { kafkaProperties } from './adapters/flink/kafka-properties.ts'
import { rememberIdentities } from './adapters/identity-files/remember-identities.ts'
import type { KafkaEventLogOptions } from './adapters/kafka/kafka-event-log.ts'
import { createLmdbEventLog, type LmdbEventLog } from './adapters/lmdb/lmdb-event-log.ts'
import { createMemoryHotStore } from './adapters/memory/memory-hot-store.ts'
import { createMemoryLiveBus } from './adapters/memory/memory-live-bus.ts'
import { createSoleMember } from './adapters/memory/sole-member.ts'
import type { Config, KafkaConfig } from './config.ts'
import { NowcastError } from './errors.ts'
import type { Clock } from './ports/clock.ts'
import type { ConsumerGroup } from './ports/consumer-group.ts'
import type { EventLog } from './ports/event-log.ts'
import type { EventStore } from './ports/event-store.ts'
import type { HotStore } from './ports/hot-store.ts'
import type { LiveBus } from './ports/live-bus.ts'
import type { WindowFeed } from './ports/window-feed.ts'
import type { Telemetry } from './telemetry.ts'

/** W of the duplicate rule: how long the log must keep events for it, ms. */
export const DUPLICATE_MS = 24 * 3_600_000
/** How often what may happen thousands of times a second is shown, ms. */
const SAMPLE_MS = 10_000
/** Of a process that archives alone, ms. */
const SOLE_LEASE_MS = 5000
const RETRY_MS = 2000
/** Windows that Flink counts have keys of their own: those that we counted stay as they were, with their fences. */
const FLINK_KEYS = 'nowcast:flink:'
/** Clients that take a fifth of a start to load: they are, where they are wanted. */
const loadKafka = () => import('./adapters/kafka/kafka.ts')
const loadRedis = () => import('./adapters/redis/redis.ts')
/** Built beside this module. */
const ENGINE_ENTRY = fileURLToPath(new URL('./engine.js', import.meta.url))

export interface OpenAdaptersContext {
  dataDir: string
  clock: Clock
  telemetry: Telemetry
  logger: Logger
  /** Keeps what others have written into the log, for people to look at. */
  keepForeign?(record: { partition: number; offset: number; reason: string; sample: string }): void
}

/** Who provides what the stages need from outside. */
export interface Adapters {
  log: EventLog
  /** The log, where nobody else deletes what is old. */
  trimmableLog: LmdbEventLog | undefined
  hotStore: HotStore
  bus: LiveBus
  /** Whether other processes keep the hot store up to date too. */
  isHotStoreShared: boolean
  eventStore: EventStore
  /** Windows that a job in Flink counts; undefined where this server counts itself. */
  windowFeed: WindowFeed | undefined
  aggregateGroup: ConsumerGroup
  archiveGroup: ConsumerGroup
  /** Offset up to which each partition is archived, by whichever process. */
  sharedArchivedTo: (() => Promise<number[]>) | undefined
  /** How long after a sign of life of this process its inserts are taken, ms; undefined where they end with it. */
  insertLeaseMs: number | undefined
  /** How long the archive may be behind before the log loses what it has not archived, ms. */
  archiveLagMs: (() => number) | undefined
  /** Resolves when what this process cannot do without was reached, or when `isOver`. */
  start(isOver: () => boolean): Promise<void>
  stop(): Promise<void>
}

/** Opens the embedded log; what is elsewhere is reached by `start`. @throws ConfigError, NowcastError */
export async function openAdapters(config: Config, context: OpenAdaptersContext): Promise<Adapters> {
  const { dataDir, clock, logger } = context
  const { kafka, redis, clickhouse, druid } = config
  /** An archive that other processes write to as well. */
  const sharedArchive = druid ?? clickhouse
  const trimmableLog = kafka ? undefined : await openEmbeddedLog(config, dataDir)
  /** What the topic has; it may have been made by others, for less than is configured. */
  let topicRetentionMs = Number.POSITIVE_INFINITY
  const onRetention = (ms: number) => {
    topicRetentionMs = ms
  }
  const log = trimmableLog ?? (await openTopicLog(config, kafka as KafkaConfig, { ...context, onRetention }))
  const windowFeed =
    kafka && config.aggregator === 'flink'
      ? (await loadKafka()).createKafkaWindowFeed(feedOptions(config, kafka, context))
      : undefined
  /** What the hot store has fences of: partitions of the log, or the one of the feed. */
  const counted = windowFeed ? { partitions: 1 } : log
  const hotBytes = { maxBytes: config.hotBytes }
  const hotStore = redis
    ? (await loadRedis()).createRedisHotStore(clock, {
        ...{ url: redis, partitions: counted.partitions, ...hotBytes },
        ...(windowFeed && { keyPrefix: FLINK_KEYS }),
      })
    : createMemoryHotStore(clock, { partitions: counted.partitions, ...hotBytes })
  const bus = redis ? (await loadRedis()).createRedisLiveBus({ url: redis }) : createMemoryLiveBus()
  const embedded = {
    dataDir: join(dataDir, 'clickhouse'),
    entry: ENGINE_ENTRY,
    onExit: (exit: object) => logger.error(exit, 'the archive’s engine ended and is started again'),
  }
  const eventStore =
    kafka && druid !== undefined
      ? createDruidEventStore((await loadKafka()).createKafkaUniqueRows(uniqueTopicOptions(config, kafka, context)), {
          ...{ url: druid, queryTimeoutMs: config.queryTimeoutMs },
          consumerProperties: druidConsumerProperties(config, kafka),
        })
      : createClickHouseEventStore(
          clickhouse ? { url: clickhouse, cluster: config.clickhouseCluster } : { embedded },
          config,
        )
  // Partitions are shared only by processes that write to the same place.
  const archiveGroup = kafka && sharedArchive ? await groupOf('archive', kafka) : createSoleMember(log)
  const countedTopic = windowFeed ? { topic: windowFeed.name, partitions: 1 } : {}
  const aggregateGroup =
    kafka && redis ? await groupOf('aggregate', { ...kafka, ...countedTopic }) : createSoleMember(counted)
  const archived =
    kafka && sharedArchive ? (await loadKafka()).createCommittedPositions(groupOptions('archive', kafka)) : undefined
  const hasRole = (...names: Config['roles']) => names.some((name) => config.roles.includes(name))

  return {
    log,
    trimmableLog,
    hotStore,
    bus,
    isHotStoreShared: redis !== undefined,
    eventStore,
    windowFeed,
    aggregateGroup,
    archiveGroup,
    sharedArchivedTo:
      archived &&
      (async () => {
        const positions = await archived.read()
        return Array.from({ length: log.partitions }, (_, partition) => positions.get(partition) ?? 0)
      }),
    insertLeaseMs: clickhouse === undefined ? undefined : archiveGroup.sessionTimeoutMs / 2 || SOLE_LEASE_MS,
    archiveLagMs: archived && kafka ? () => archiveLagOf(Math.min(kafka.retentionMs, topicRetentionMs)) : undefined,
    async start(isOver) {
      const reached = (what: string, start: () => Promise<void>) => untilReached(what, start, isOver, logger)
      const inBackground = (reaching: Promise<void>) => {
        reaching.catch((error: Error) => logger.error(error.message))
      }
      // Live figures and ingestion do without ClickHouse, and history does without Kafka.
      const reachLog = trimmableLog ? Promise.resolve() : reached('Kafka', () => log.start())
      const reachStore = sharedArchive
        ? reached(druid ? 'Druid' : 'ClickHouse', () => eventStore.start())
        : eventStore.start()
      if (sharedArchive) inBackground(reachStore)
      if (!hasRole('ingest', 'aggregate', 'archive')) inBackground(reachLog)
      await Promise.all([
        hasRole('ingest', 'aggregate', 'archive') ? reachLog : undefined,
        hasRole('aggregate', 'query') ? reached('Redis', () => hotStore.start()) : undefined,
        windowFeed && hasRole('aggregate') ? reached('Kafka', () => windowFeed.start()) : undefined,
        sharedArchive ? undefined : reachStore,
      ])
      if (hasRole('aggregate', 'query')) await bus.start()
    },
    async stop() {
      archived?.close()
      await bus.stop()
      await hotStore.stop()
      await eventStore.stop()
      await windowFeed?.stop()
      await log.stop()
    },
  }
}

/** The log keeps events for repeats, and the rest of its time for an archive that is behind. */
function archiveLagOf(retentionMs: number): number {
  const restMs = retentionMs - DUPLICATE_MS
  // A topic for less than a day knows fewer repeats; it shall not lose events.
  return restMs > 0 ? restMs : retentionMs / 2
}

async function openEmbeddedLog(config: Config, dataDir: string): Promise<LmdbEventLog> {
  const { partitions, logBytes: maxBytes } = config
  const log = createLmdbEventLog({ path: join(dataDir, 'log'), partitions, maxBytes })
  await log.start()
  return log
}

/** The topic; with identities beside it in files where a stage reads it, for Kafka has them only inside whole records. */
async function openTopicLog(
  config: Config,
  kafka: KafkaConfig,
  context: OpenAdaptersContext & { onRetention(ms: number): void },
): Promise<EventLog> {
  const { dataDir, telemetry, logger, onRetention } = context
  const log = (await loadKafka()).createKafkaEventLog({ ...kafkaLogOptions(kafka, context), onRetention })
  if (!config.roles.some((role) => role === 'aggregate' || role === 'archive')) return log
  const warn = sampled((problem: string) =>
    logger.warn({ problem }, 'a file of identities is of no use: the log is read instead'),
  )
  return rememberIdentities(log, {
    folder: join(dataDir, 'identities'),
    offsets: Math.ceil(config.duplicateOffsets / kafka.partitions),
    onRead: (source, identities) => telemetry.identitiesRead.inc({ source }, identities),
    onProblem(problem) {
      telemetry.identityFileProblems.inc()
      warn(problem)
    },
  })
}

/** Shows the first of what comes in masses. */
function sampled<T>(show: (shown: T) => void): (shown: T) => void {
  let shownAt = Number.NEGATIVE_INFINITY
  return (shown) => {
    if (performance.now() - shownAt < SAMPLE_MS) return
    shownAt = performance.now()
    show(shown)
  }
}

/** How to reach Kafka. */
export function kafkaConnection({ brokers, ssl, sasl }: KafkaConfig) {
  return { brokers, ssl: ssl as boolean | ConnectionOptions, ...(sasl && { sasl }) }
}

/** How to reach the topic, and what it is to be. */
export function kafkaTopicOptions(kafka: KafkaConfig) {
  const { topic, partitions, retentionMs } = kafka
  return { ...kafkaConnection(kafka), topic, partitions, retentionMs }
}

function kafkaLogOptions(kafka: KafkaConfig, context: OpenAdaptersContext): KafkaEventLogOptions {
  const { telemetry, logger, keepForeign } = context
  const warn = sampled((records: object) =>
    logger.warn(records, 'records in the topic that Nowcast did not write are passed over'),
  )
  return {
    ...kafkaTopicOptions(kafka),
    compression: kafka.compression,
    onWarning: (message) => logger.warn(message),
    onForeign(partition, records) {
      telemetry.foreignRecords.inc({ partition }, records.count)
      keepForeign?.({ partition, ...records })
      warn({ partition, ...records })
    },
  }
}

/** The topic that the job in Flink writes to. */
export const windowsTopicOf = ({ windowsTopic }: Config, { topic }: KafkaConfig) =>
  windowsTopic ?? `${topic.replace(/\.events$/, '')}.windows`

/** The topic that Druid reads. */
export const uniqueTopicOf = ({ uniqueTopic }: Config, { topic }: KafkaConfig) =>
  uniqueTopic ?? `${topic.replace(/\.events$/, '')}.unique`

function uniqueTopicOptions(config: Config, kafka: KafkaConfig, { logger }: OpenAdaptersContext) {
  const { partitions, retentionMs } = kafka
  return {
    ...kafkaConnection(kafka),
    ...{ topic: uniqueTopicOf(config, kafka), partitions, retentionMs },
    onWarning: (message: string) => logger.warn(message),
  }
}

/** How Druid, whose Kafka client has its own names for everything, reaches the same brokers. */
function druidConsumerProperties({ druidKafkaProperties }: Config, kafka: KafkaConfig): Record<string, string> {
  return {
    'bootstrap.servers': kafka.brokers.join(),
    ...kafkaProperties(kafka, 'org.apache.kafka.common.security'),
    ...druidKafkaProperties,
  }
}

function feedOptions(config: Config, kafka: KafkaConfig, { logger }: OpenAdaptersContext) {
  return {
    ...kafkaConnection(kafka),
    topic: windowsTopicOf(config, kafka),
    onWarning: (message: string) => logger.warn(message),
    onForeign: sampled((records: object) =>
      logger.warn(records, 'records in the topic of windows that are no rows of the job are passed over'),
    ),
  }
}

function groupOptions(role: string, kafka: KafkaConfig) {
  const { topic, partitions, sessionTimeoutMs } = kafka
  return { ...kafkaConnection(kafka), groupId: `${topic}.${role}`, topic, partitions, sessionTimeoutMs }
}

const groupOf = async (role: string, kafka: KafkaConfig) =>
  (await loadKafka()).createKafkaConsumerGroup(groupOptions(role, kafka))

/** Tries until it succeeds, or until trying again is of no use. */
async function untilReached(
  what: string,
  start: () => Promise<void>,
  isOver: () => boolean,
  logger: Logger,
): Promise<void> {
  while (!isOver()) {
    try {
      return await start()
    } catch (error) {
      if (!(error instanceof NowcastError && error.retryable)) throw error
      logger.warn(`waiting for ${what}: ${error.message}`)
      await sleep(RETRY_MS)
    }
  }
}
