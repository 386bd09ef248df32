import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePorts } from '../../../../../scripts/loopback-ports.mjs'
import { type KafkaServer, kafkaIsMissing, startKafka } from '../../../../../test/servers/start-kafka.ts'
import { startTcpProxy, type TcpProxy } from '../../../../../test/servers/tcp-proxy.ts'
import { consumerGroupConformance } from '../../ports/consumer-group.conformance.ts'
import type { ConsumerGroup } from '../../ports/consumer-group.ts'
import { createGroupCoordinator, requiredMemberId } from './group-coordinator.ts'
import { createCommittedPositions, createKafkaConsumerGroup } from './kafka-consumer-group.ts'
import { createKafkaEventLog } from './kafka-event-log.ts'
import { createTopicView } from './topic-view.ts'

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

  test('a leader that takes longer than a session to share the partitions costs nobody a place', async () => {
    const sessionTimeoutMs = 3000
    const leaderMs = 30_000
    const groupId = `slow-leader-${groups++}`
    const view = createTopicView('shared', { brokers: [kafka.address] })
    const leader = createGroupCoordinator(view, groupId)
    const join = (memberId: string) => leader.join(memberId, [], leaderMs, leaderMs)
    let memberId: string | undefined
    // Where it is the broker's first group, a moment passes before there is a coordinator.
    while (memberId === undefined) {
      memberId = await join('').then((joined) => joined.memberId, requiredMemberId)
      await sleep(50)
    }
    const alone = await join(memberId)
    await leader.sync(alone, new Map([[alone.memberId, []]]), leaderMs)

    const options = { topic: 'shared', partitions: PARTITIONS, groupId, sessionTimeoutMs, heartbeatMs: 200 }
    const member = createKafkaConsumerGroup({ ...options, brokers: [kafka.address] })
    const assigned: (readonly number[])[] = []
    const started = member.start((partitions) => void assigned.push(partitions))
    let both = alone
    while (both.members.length < 2) both = await join(alone.memberId)
    const others = both.members.filter((one) => one.memberId !== both.memberId)
    await sleep(sessionTimeoutMs * 1.2)
    const all = Array.from({ length: PARTITIONS }, (_, partition) => partition)
    await leader.sync(both, new Map([...others.map((one) => [one.memberId, all] as const)]), leaderMs)
    await started
    for (let beats = 0; beats < 10; beats++) {
      await leader.heartbeat(both, leaderMs)
      await sleep(200)
    }
    expect(assigned).toEqual([all])
    await member.stop()
    view.close()
  })
})
