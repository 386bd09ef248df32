import { setTimeout as sleep } from 'node:timers/promises'
import type { Finding } from '../../ports/finding.ts'
import type { BrokerLink } from './broker-link.ts'
import { KafkaError } from './kafka-error.ts'
import type { TopicView } from './topic-view.ts'

const HOUR_MS = 3_600_000
const ADMIN_MS = 10_000
const READY_MS = 15_000
const RETENTION_MS = 72 * HOUR_MS
const POLL_MS = 100
/** Kafka's numbers for things that have settings. */
const TOPIC = 2
const BROKER = 4
/** Two copies must have an event before it is acknowledged, where there are three. */
const REPLICAS = 3
const IN_SYNC = 2
/** What Kafka takes by default. */
const DEFAULT_BATCH_BYTES = 1_048_588

export interface TopicOptions {
  /** @default 'nowcast.events' */
  topic?: string
  /** Partitions that events are spread over; never to be changed while the topic lives. @default 12 */
  partitions?: number
  /**
   * How long the topic is to keep events, ms: as long as repeats are recognised, and as the archive may be behind.
   * @default 72 hours
   */
  retentionMs?: number
  /** How long to wait for Kafka at the start, ms. @default 30000 */
  startTimeoutMs?: number
  onWarning?(message: string): void
  /** Told how long the topic keeps events, ms. */
  onRetention?(retentionMs: number): void
}

/**
 * Finds the topic, or makes it, and checks it.
 * @returns bytes of the largest batch that it takes
 * @throws KafkaError that says what to do when it cannot be used
 */
export async function openTopic(view: TopicView, options: TopicOptions): Promise<{ maxBatchBytes: number }> {
  const { startTimeoutMs = 30_000, onWarning } = options
  if (!(await untilReached(view, startTimeoutMs))) await makeTopic(view, options)
  const settings = await readSettings(view)
  const findings = settings instanceof KafkaError ? [unreadable(settings)] : findingsOf(view, settings, options)
  for (const { ok, message, isFatal } of findings) {
    if (isFatal) throw new KafkaError('TOPIC_SETTINGS', message)
    if (!ok) onWarning?.(message)
  }
  if (settings instanceof KafkaError) return { maxBatchBytes: DEFAULT_BATCH_BYTES }
  const retentionMs = Number(settings.get('retention.ms'))
  options.onRetention?.(retentionMs < 0 ? Number.POSITIVE_INFINITY : retentionMs)
  const maxBatchBytes = settings.get('max.message.bytes')
  return { maxBatchBytes: Number(maxBatchBytes ?? DEFAULT_BATCH_BYTES) }
}

/** What is right and wrong with the topic, for people; makes nothing. */
export async function checkTopic(view: TopicView, options: TopicOptions): Promise<Finding[]> {
  if (!(await view.find())) {
    return [
      { what: 'topic', ok: true, message: `${view.topic} is not there yet: the server makes it at its first start` },
    ]
  }
  const settings = await readSettings(view)
  return settings instanceof KafkaError ? [unreadable(settings)] : findingsOf(view, settings, options)
}

/** Whether the topic is there; waits for brokers that are starting. */
export async function untilReached(view: TopicView, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    try {
      return await view.find()
    } catch (error) {
      const { type } = error as KafkaError
      const isTransient = ['CONNECTION', 'TIMEOUT', 'LEADER_NOT_AVAILABLE'].includes(type)
      if (!isTransient || performance.now() > deadline) throw error
      await sleep(POLL_MS * 5)
    }
  }
}

async function makeTopic(
  view: TopicView,
  { partitions = 12, retentionMs = RETENTION_MS }: TopicOptions,
): Promise<void> {
  await makeTopicWith(view, partitions, {
    'cleanup.policy': 'delete',
    'message.timestamp.type': 'LogAppendTime',
    'retention.ms': String(retentionMs),
    'retention.bytes': '-1',
  })
}

/** Makes a topic with these settings, copied as often as the brokers allow, and waits until it can be used. */
export async function makeTopicWith(
  view: TopicView,
  partitions: number,
  own: Readonly<Record<string, string>>,
): Promise<void> {
  const replicationFactor = Math.min(REPLICAS, view.brokers)
  const settings = {
    ...own,
    'min.insync.replicas': String(replicationFactor >= REPLICAS ? IN_SYNC : 1),
    'unclean.leader.election.enable': 'false',
  }
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
  try {
    const link = await view.controllerLink()
    await link.call(
      'CreateTopics',
      {
        topics: [{ topic: view.topic, numPartitions: partitions, replicationFactor, configEntries }],
        validateOnly: false,
        timeout: ADMIN_MS,
      },
      ADMIN_MS,
    )
  } catch (error) {
    // Another node was faster.
    if ((error as KafkaError).type !== 'TOPIC_ALREADY_EXISTS') throw error
  }
  const deadline = performance.now() + READY_MS
  while (!(await hasLeaders(view, partitions))) {
    if (performance.now() > deadline) {
      throw new KafkaError(
        'LEADER_NOT_AVAILABLE',
        `the topic ${view.topic} was made, but its partitions have no leaders`,
      )
    }
    await sleep(POLL_MS)
  }
}

async function hasLeaders(view: TopicView, partitions: number): Promise<boolean> {
  try {
    await view.refresh()
    if (view.partitions < partitions) return false
    return view.byLeader(Array.from({ length: partitions }, (_, p) => p)).problem === undefined
  } catch (error) {
    if ((error as KafkaError).type === 'TOPIC_AUTHORIZATION_FAILED') throw error
    return false
  }
}

/** Settings of the topic. */
export function readSettings(view: TopicView): Promise<Map<string, string> | KafkaError> {
  return described(() => view.anyLink('ask'), { type: TOPIC, name: view.topic, configNames: [] })
}

/** Settings of a broker, which only itself tells. */
export function readBrokerSettings(
  view: TopicView,
  nodeId: number,
  configNames: readonly string[],
): Promise<Map<string, string> | KafkaError> {
  return described(async () => view.link(nodeId, 'ask'), { type: BROKER, name: String(nodeId), configNames })
}

interface Described {
  resources: { errorCode: number; configEntries: { configName: string; configValue: string }[] }[]
}

async function described(
  connect: () => Promise<BrokerLink>,
  resource: { type: number; name: string; configNames: readonly string[] },
): Promise<Map<string, string> | KafkaError> {
  try {
    const link = await connect()
    const request = { resources: [resource], includeSynonyms: false }
    const answer = await link.call<Described>('DescribeConfigs', request, ADMIN_MS)
    const entries = answer.resources[0]?.configEntries ?? []
    return new Map(entries.map(({ configName, configValue }) => [configName, configValue]))
  } catch (error) {
    if (error instanceof KafkaError) return error
    throw error
  }
}

function unreadable(error: KafkaError): Finding {
  return { what: 'settings', ok: false, message: `the settings of the topic could not be read: ${error.message}` }
}

function findingsOf(view: TopicView, settings: ReadonlyMap<string, string>, options: TopicOptions): Finding[] {
  const { partitions = 12, retentionMs = RETENTION_MS } = options
  const setting = (name: string) => settings.get(name) ?? ''
  const command = (change: string) =>
    `kafka-configs.sh --bootstrap-server … --alter --entity-type topics --entity-name ${view.topic} --add-config ${change}`
  const finding = (what: string, ok: boolean, good: string, bad: string): Finding => ({
    what,
    ok,
    message: ok ? good : bad,
  })
  const retention = Number(setting('retention.ms'))
  const retentionBytes = Number(setting('retention.bytes'))
  const inSync = Number(setting('min.insync.replicas'))
  const wantedReplicas = Math.min(REPLICAS, view.brokers)
  return [
    {
      ...finding(
        'partitions',
        view.partitions === partitions,
        `${partitions} partitions`,
        view.partitions < partitions
          ? `the topic ${view.topic} has ${view.partitions} partitions, kafka.partitions is ${partitions}: set it to the number that the topic was made with`
          : `the topic ${view.topic} has ${view.partitions} partitions, of which ${partitions} (kafka.partitions) are used`,
      ),
      isFatal: view.partitions < partitions,
    },
    {
      ...finding(
        'cleanup.policy',
        setting('cleanup.policy') === 'delete',
        'old events are deleted, none is compacted away',
        `the topic ${view.topic} has cleanup.policy=${setting('cleanup.policy')}, which loses events: ${command('cleanup.policy=delete')}`,
      ),
      isFatal: setting('cleanup.policy') !== 'delete',
    },
    finding(
      'retention.ms',
      retention < 0 || retention >= retentionMs,
      retention < 0 ? 'events are kept for ever' : `events are kept for ${hours(retention)}`,
      `the topic ${view.topic} keeps events for ${hours(retention)}, but kafka.retentionMs says ${hours(retentionMs)}, and an archive that is further behind than the topic reaches loses events: ${command(`retention.ms=${retentionMs}`)} (or set kafka.retentionMs to what the topic has, at least 30 h)`,
    ),
    finding(
      'retention.bytes',
      retentionBytes < 0,
      'events are kept whatever their size',
      `the topic ${view.topic} deletes events beyond ${retentionBytes} bytes a partition, however young: ${command('retention.bytes=-1')}`,
    ),
    finding(
      'message.timestamp.type',
      setting('message.timestamp.type') === 'LogAppendTime',
      'the brokers tell the time',
      `the topic ${view.topic} takes times from its writers: ${command('message.timestamp.type=LogAppendTime')}`,
    ),
    finding(
      'max.message.bytes',
      Number(setting('max.message.bytes')) >= DEFAULT_BATCH_BYTES,
      `batches up to ${setting('max.message.bytes')} bytes`,
      `the topic ${view.topic} takes batches up to ${setting('max.message.bytes')} bytes only: ${command(`max.message.bytes=${DEFAULT_BATCH_BYTES}`)}`,
    ),
    finding(
      'replicas',
      view.replicas >= wantedReplicas,
      `${view.replicas} copies of each partition`,
      `the topic ${view.topic} has ${view.replicas} copies of each partition, ${wantedReplicas} brokers could hold ${wantedReplicas}: raise it with kafka-reassign-partitions.sh`,
    ),
    finding(
      'min.insync.replicas',
      view.replicas < REPLICAS || inSync >= IN_SYNC,
      `${inSync} copies before an event is acknowledged`,
      `the topic ${view.topic} acknowledges events that ${inSync} broker alone has: ${command(`min.insync.replicas=${IN_SYNC}`)}`,
    ),
    finding(
      'unclean.leader.election.enable',
      setting('unclean.leader.election.enable') !== 'true',
      'a broker that lacks events never leads',
      `the topic ${view.topic} lets a broker lead that lacks events: ${command('unclean.leader.election.enable=false')}`,
    ),
  ]
}

function hours(ms: number): string {
  return `${Math.round((ms / HOUR_MS) * 10) / 10} h`
}
