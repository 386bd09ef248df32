import { afterAll, beforeAll, describe } from 'vitest'
import { freePorts } from '../../../../../test/servers/free-ports.ts'
import { type KafkaServer, kafkaIsMissing, startKafka } from '../../../../../test/servers/start-kafka.ts'
import { startTcpProxy, type TcpProxy } from '../../../../../test/servers/tcp-proxy.ts'
import { consumerGroupConformance } from '../../ports/consumer-group.conformance.ts'
import type { ConsumerGroup } from '../../ports/consumer-group.ts'
import { createCommittedPositions, createKafkaConsumerGroup } from './kafka-consumer-group.ts'
import { createKafkaEventLog } from './kafka-event-log.ts'

const PARTITIONS = 5
const WAYS = 2

describe.skipIf(kafkaIsMissing)('on a real broker', () => {
  let kafka: KafkaServer
  let groups = 0
  let ways: TcpProxy[]
  beforeAll(async () => {
    const ports = await freePorts(WAYS)
    kafka = await startKafka({ proxies: ports })
    ways = await Promise.all(kafka.proxied.map((target, i) => startTcpProxy(target, ports[i])))
    const log = createKafkaEventLog({ brokers: [kafka.address], topic: 'shared', partitions: PARTITIONS })
    await log.start()
    await log.stop()
  })
  afterAll(async () => {
    await Promise.all(ways.map((way) => way.stop()))
    await kafka.stop()
  })

  consumerGroupConformance('the group on Kafka', async () => {
    const groupId = `conformance-${groups++}`
    const common = { topic: 'shared', partitions: PARTITIONS, groupId }
    const wayOf = new Map<ConsumerGroup, TcpProxy>()
    const committed = createCommittedPositions({ ...common, brokers: [kafka.address] })
    return {
      partitions: PARTITIONS,
      member() {
        const way = ways[wayOf.size] as TcpProxy
        const group = createKafkaConsumerGroup({
          ...common,
          brokers: [way.address],
          sessionTimeoutMs: 3000,
          heartbeatMs: 200,
        })
        wayOf.set(group, way)
        return group
      },
      silence: (member) => wayOf.get(member)?.mode('hold'),
      committed: () => committed.read(),
      async cleanUp() {
        committed.close()
        for (const way of ways) way.mode('pass')
      },
    }
  })
})
