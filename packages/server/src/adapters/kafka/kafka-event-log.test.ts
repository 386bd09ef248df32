import { afterAll, beforeAll, describe } from 'vitest'
import { type KafkaServer, kafkaIsMissing, startKafka } from '../../../../../test/servers/start-kafka.ts'
import { eventLogConformance } from '../../ports/event-log.conformance.ts'
import { createKafkaEventLog } from './kafka-event-log.ts'

describe.skipIf(kafkaIsMissing)('on a real broker', () => {
  let kafka: KafkaServer
  let topics = 0
  beforeAll(async () => {
    kafka = await startKafka()
  })
  afterAll(() => kafka.stop())

  eventLogConformance('the log on Kafka', async () => {
    const topic = `conformance-${topics++}`
    return {
      async open() {
        const log = createKafkaEventLog({ brokers: [kafka.address], topic, partitions: 3 })
        await log.start()
        return log
      },
      cleanUp: async () => {},
    }
  })
})
