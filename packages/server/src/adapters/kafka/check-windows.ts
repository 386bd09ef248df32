import type { Finding } from '../../ports/finding.ts'
import type { KafkaConnectionOptions } from './broker-link.ts'
import { createTopicOffsets } from './topic-offsets.ts'
import { createTopicView } from './topic-view.ts'
import { checkWindowsTopic } from './windows-topic.ts'

/** What is right and wrong with the topic that a job in Flink writes to, for people. Makes nothing, never throws. */
export async function checkWindows(options: KafkaConnectionOptions & { topic: string }): Promise<Finding[]> {
  const { topic } = options
  const view = createTopicView(topic, options)
  const start = 'start the job with nowcast flink --gateway http://…'
  try {
    if (!(await view.find())) {
      return [{ what: 'topic', ok: false, message: `${topic} is not there yet: ${start}, which makes it` }]
    }
    const { start: first, end } = await createTopicOffsets(view).ask(0)
    const isEmpty = first === end
    const rows = isEmpty ? `${topic} holds no windows: ${start}` : `${topic} holds what the job has counted`
    return [{ what: 'topic', ok: !isEmpty, message: rows }, ...(await checkWindowsTopic(view))]
  } catch (error) {
    return [{ what: 'topic', ok: false, message: `${topic}: ${(error as Error).message}` }]
  } finally {
    view.close()
  }
}
