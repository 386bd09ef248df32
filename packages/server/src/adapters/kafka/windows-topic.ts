import type { Finding } from '../../ports/finding.ts'
import { KafkaError } from './kafka-error.ts'
import { makeTopicWith, readSettings, untilReached } from './topic-settings.ts'
import type { TopicView } from './topic-view.ts'

const HOUR_MS = 3_600_000
/** A minute is kept for 25 hours by the hot store, and rows say what it held when they were written. */
const LEAST_RETENTION_MS = 26 * HOUR_MS
const RETENTION_MS = 30 * HOUR_MS

export interface WindowsTopicOptions {
  /** How long to wait for Kafka at the start, ms. @default 30000 */
  startTimeoutMs?: number
  onWarning?(message: string): void
}

/**
 * Finds the topic that the job writes to, or makes it, and checks it. @throws KafkaError that says what to do
 */
export async function openWindowsTopic(view: TopicView, options: WindowsTopicOptions = {}): Promise<void> {
  const { startTimeoutMs = 30_000, onWarning } = options
  if (!(await untilReached(view, startTimeoutMs))) {
    // Of each key the latest row is enough, and none that is older than what the hot store keeps.
    await makeTopicWith(view, 1, {
      'cleanup.policy': 'compact,delete',
      'retention.ms': String(RETENTION_MS),
      'retention.bytes': '-1',
      'segment.ms': String(HOUR_MS / 4),
      'min.cleanable.dirty.ratio': '0.3',
      'delete.retention.ms': String(HOUR_MS),
    })
  }
  for (const { ok, message, isFatal } of await checkWindowsTopic(view)) {
    if (isFatal) throw new KafkaError('TOPIC_SETTINGS', message)
    if (!ok) onWarning?.(message)
  }
}

/** What is right and wrong with a topic that is there. */
export async function checkWindowsTopic(view: TopicView): Promise<Finding[]> {
  const isOne = view.partitions === 1
  const partitions = {
    what: 'partitions',
    ok: isOne,
    isFatal: !isOne,
    message: isOne
      ? 'one partition'
      : `the topic ${view.topic} has ${view.partitions} partitions, but the transactions of the job can be read as a whole from one only: delete it, and let nowcast flink make it`,
  }
  const settings = await readSettings(view)
  if (settings instanceof KafkaError) {
    return [partitions, { what: 'settings', ok: false, message: `they could not be read: ${settings.message}` }]
  }
  const retention = Number(settings.get('retention.ms'))
  const keeps = retention < 0 || retention >= LEAST_RETENTION_MS
  return [
    partitions,
    {
      what: 'retention.ms',
      ok: keeps,
      message: keeps
        ? 'rows are kept as long as the live figures need them'
        : `the topic ${view.topic} keeps rows for ${retention} ms, but the live figures need 26 hours: kafka-configs.sh --bootstrap-server … --alter --entity-type topics --entity-name ${view.topic} --add-config retention.ms=${RETENTION_MS}`,
    },
  ]
}
