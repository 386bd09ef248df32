import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KafkaServer, kafkaIsMissing, startKafkaCluster } from '../../../../../test/servers/start-kafka.ts'
import { createLogReader } from '../../consume/log-reader.ts'
import { batchOf, rowsOf } from '../../ports/event-log.conformance.ts'
import { checkKafka } from './check-kafka.ts'
import { createKafkaConsumerGroup } from './kafka-consumer-group.ts'
import { createKafkaEventLog } from './kafka-event-log.ts'

const PARTITIONS = 3
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

describe.skipIf(kafkaIsMissing)('three brokers', () => {
  let brokers: KafkaServer[]
  beforeAll(async () => {
    brokers = await startKafkaCluster(3)
  })
  afterAll(() => Promise.all((brokers ?? []).map((broker) => broker.stop())))

  test('of which each dies once lose and disorder no acknowledged event, and the group stays one', async () => {
    const options = { brokers: brokers.map(({ address }) => address), topic: 'copied', partitions: PARTITIONS }
    const log = createKafkaEventLog(options)
    await log.start()
    expect((await checkKafka(options)).filter(({ ok }) => !ok)).toEqual([])
    const group = createKafkaConsumerGroup({ ...options, groupId: 'g', sessionTimeoutMs: 6000 })
    let assigned: readonly number[] = []
    await group.start((partitions) => {
      assigned = partitions
    })

    let next = 0
    let refused = 0
    async function append(): Promise<void> {
      const batch = batchOf(next * 3, next * 3 + 3)
      for (;;) {
        try {
          await log.append([batch, batch, batch])
          break
        } catch (error) {
          expect(error).toMatchObject({ code: 'log_unavailable', retryable: true })
          if (++refused > 100) throw error
        }
      }
      next++
    }

    for (const broker of brokers) {
      for (let i = 0; i < 20; i++) await append()
      await broker.kill()
      // Two are left, which is enough.
      for (let i = 0; i < 20; i++) await append()
      await broker.start()
    }
    for (let i = 0; i < 20; i++) await append()

    for (const partition of range(0, PARTITIONS)) {
      const reader = createLogReader(log, { partition, duplicateOffsets: 1_000_000, duplicateMs: 3_600_000 })
      await reader.seek(0)
      const numbers: number[] = []
      const { end } = await log.extent(partition)
      while (reader.position < end) {
        const slice = await reader.next()
        if (!slice) continue
        const rows = rowsOf(slice.batch) as { n: number }[]
        for (let i = slice.first; i < slice.last; i++)
          if (!slice.excluded[i]) numbers.push((rows[i] as { n: number }).n)
      }
      expect(numbers).toEqual(range(0, next * 3))
    }
    while (assigned.length < PARTITIONS || group.problem) await new Promise((resolve) => setTimeout(resolve, 50))
    expect([...assigned].sort()).toEqual(range(0, PARTITIONS))
    await group.stop()
    await log.stop()
  }, 240_000)
})
