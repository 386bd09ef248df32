import type { Finding } from '../../ports/finding.ts'
import type { KafkaConnectionOptions } from './broker-link.ts'
import { checkTopic, type TopicOptions } from './topic-settings.ts'
import { createTopicView } from './topic-view.ts'

/** Whether the brokers answer, and what is right and wrong with the topic, for people. Makes nothing, never throws. */
export async function checkKafka(options: KafkaConnectionOptions & TopicOptions): Promise<Finding[]> {
  const view = createTopicView(options.topic ?? 'nowcast.events', options)
  try {
    const findings = await checkTopic(view, options)
    const brokers = { what: 'brokers', ok: true, message: `${view.brokers} brokers answer` }
    return [brokers, ...findings]
  } catch (error) {
    return [{ what: 'brokers', ok: false, message: (error as Error).message, isFatal: true }]
  } finally {
    view.close()
  }
}
