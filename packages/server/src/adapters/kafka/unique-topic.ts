import type { Finding } from '../../ports/finding.ts'
import { KafkaError } from './kafka-error.ts'
import { makeTopicWith, readSettings, untilReached } from './topic-settings.ts'
import type { TopicView } from './topic-view.ts'

export interface UniqueTopicOptions {
  /** Those of the log. */
  partitions: number
  /** How long a topic that we make keeps rows, ms. */
  retentionMs: number
  /** How long to wait for Kafka at the start, ms. @default 30000 */
  startTimeoutMs?: number
  onWarning?(message: string): void
}

/** Finds the topic that the store outside reads, or makes it, and checks it. @throws KafkaError that says what to do */
export async function openUniqueTopic(view: TopicView, options: UniqueTopicOptions): Promise<void> {
  const { partitions, retentionMs, startTimeoutMs = 30_000, onWarning } = options
  if (!(await untilReached(view, startTimeoutMs))) {
    await makeTopicWith(view, partitions, {
      'cleanup.policy': 'delete',
      'retention.ms': String(retentionMs),
      'retention.bytes': '-1',
    })
  }
  for (const { ok, message, isFatal } of await checkUniqueTopic(view, options)) {
    if (isFatal) throw new KafkaError('TOPIC_SETTINGS', message)
    if (!ok) onWarning?.(message)
  }
}

/** What is right and wrong with the topic that is there. */
async function checkUniqueTopic(view: TopicView, { partitions }: { partitions: number }): Promise<Finding[]> {
  const isEqual = view.partitions === partitions
  const count = {
    what: 'partitions',
    ok: isEqual,
    isFatal: !isEqual,
    message: isEqual
      ? `${partitions} partitions`
      : `the topic ${view.topic} has ${view.partitions} partitions, that of events ${partitions}: choose another uniqueTopic, or delete it and Druid's datasource together`,
  }
  const settings = await readSettings(view)
  if (settings instanceof KafkaError) {
    return [count, { what: 'settings', ok: false, message: `they could not be read: ${settings.message}` }]
  }
  const policy = settings.get('cleanup.policy')
  const isKept = policy === 'delete'
  return [
    count,
    {
      what: 'cleanup.policy',
      ok: isKept,
      isFatal: !isKept,
      message: isKept
        ? 'rows are kept until they are old'
        : `the topic ${view.topic} has cleanup.policy=${policy}, which loses rows: kafka-configs.sh --bootstrap-server … --alter --entity-type topics --entity-name ${view.topic} --add-config cleanup.policy=delete`,
    },
  ]
}
