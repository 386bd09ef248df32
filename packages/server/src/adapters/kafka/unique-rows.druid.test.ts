import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KafkaServer, kafkaIsMissing, startKafka } from '../../../../../test/servers/start-kafka.ts'
import { until } from '../../../../../test/servers/until.ts'
import type { PlacedRow, UniqueRows } from '../../ports/unique-rows.ts'
import { createKafkaUniqueRows } from './kafka-unique-rows.ts'

const READ_MS = 60_000

describe.skipIf(kafkaIsMissing)('the topic of unique rows on a real broker', () => {
  let kafka: KafkaServer
  let client: Kafka
  const opened: UniqueRows[] = []
  let topics = 0

  beforeAll(async () => {
    kafka = await startKafka()
    client = new Kafka({ brokers: [kafka.address], logLevel: logLevel.NOTHING })
  })
  afterAll(async () => {
    for (const rows of opened) await rows.stop()
    await kafka?.stop()
  })

  async function open(topic = `unique-${topics++}`): Promise<UniqueRows> {
    const rows = createKafkaUniqueRows({ brokers: [kafka.address], topic, partitions: 2, retentionMs: 3_600_000 })
    await rows.start()
    opened.push(rows)
    return rows
  }

  const rowsOf = (epoch: number, from: number, to: number, bytes = 8): PlacedRow[] =>
    Array.from({ length: to - from }, (_, i) => ({
      ...{ epoch, offset: from + i, receivedAt: 1000 + from + i },
      value: Buffer.from(`${from + i}`.padEnd(bytes)),
    }))
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

  /** What a consumer of committed records reads of a partition: so many, and what else comes soon after. */
  async function committed(topic: string, partition: number, count: number): Promise<number[]> {
    const consumer = client.consumer({ groupId: `reader-${topic}`, readUncommitted: false })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    const numbers: number[] = []
    await consumer.run({
      eachMessage: async (message) => {
        if (message.partition === partition) numbers.push(Number(message.message.value))
      },
    })
    await until(true, () => numbers.length >= count, READ_MS)
    await sleep(500)
    await consumer.disconnect()
    return numbers
  }

  test('what stands there already is left out, however rows overlap, and the end says where to go on', async () => {
    const rows = await open()
    expect(await rows.last()).toEqual([undefined, undefined])
    await rows.append(0, rowsOf(7, 0, 5))
    await rows.append(0, rowsOf(7, 3, 9))
    await rows.append(1, rowsOf(7, 100, 102))
    await rows.append(0, rowsOf(7, 0, 9))
    // Kafka answers a commit before it has marked it in the partition.
    await expect
      .poll(() => rows.last())
      .toEqual([
        { epoch: 7, offset: 8, receivedAt: 1008 },
        { epoch: 7, offset: 101, receivedAt: 1101 },
      ])
    const again = await open(rows.name)
    await again.append(0, rowsOf(7, 5, 12))
    expect(await committed(rows.name, 0, 12)).toEqual(range(0, 12))
    // A log that was replaced begins anew.
    await again.append(0, rowsOf(8, 0, 2))
    await expect.poll(async () => (await again.last())[0]).toEqual({ epoch: 8, offset: 1, receivedAt: 1001 })
  })

  test('a writer that another has replaced writes nothing, nor does what it had begun count', async () => {
    const zombie = await open()
    await zombie.append(0, rowsOf(7, 0, 10))
    const heir = await open(zombie.name)
    await heir.append(0, rowsOf(7, 0, 15))
    await expect(zombie.append(0, rowsOf(7, 10, 20))).rejects.toMatchObject({ code: 'log_unavailable' })
    // It looks at the end again before it goes on, and takes the name back.
    await zombie.append(0, rowsOf(7, 10, 20))
    await expect(heir.append(0, rowsOf(7, 15, 25))).rejects.toMatchObject({ code: 'log_unavailable' })
    await heir.append(0, rowsOf(7, 15, 25))
    expect(await committed(zombie.name, 0, 25)).toEqual(range(0, 25))
  })

  test('a transaction that was left open is ended by who comes next, and its rows are written once', async () => {
    const rows = await open()
    await rows.append(0, rowsOf(7, 0, 10))
    const producer = client.producer({ transactionalId: `${rows.name}.0`, maxInFlightRequests: 1, idempotent: true })
    await producer.connect()
    const left = await producer.transaction()
    await left.send({
      topic: rows.name,
      messages: range(10, 2000).map((offset) => ({ key: `7:${offset}:0`, value: `${offset}`, partition: 0 })),
    })
    expect((await rows.last())[0]?.offset).toBe(9)
    const heir = await open(rows.name)
    await heir.append(0, rowsOf(7, 5, 30))
    expect((await heir.last())[0]?.offset).toBe(29)
    expect(await committed(rows.name, 0, 30)).toEqual(range(0, 30))
    await producer.disconnect()
  })

  test('rows of many batches are one transaction', async () => {
    const rows = await open()
    await rows.append(0, rowsOf(7, 0, 3000, 1000))
    const admin = client.admin()
    await admin.connect()
    const offsets = await admin.fetchTopicOffsets(rows.name)
    await admin.disconnect()
    // One marker behind all of them.
    expect(offsets.find(({ partition }) => partition === 0)?.offset).toBe('3001')
    expect(await committed(rows.name, 0, 3000)).toEqual(range(0, 3000))
  })

  test('whatever becomes of the broker meanwhile, every row is there once and in its order', async () => {
    const rows = await open()
    let isOver = false
    const killing = (async () => {
      for (let i = 0; i < 2; i++) {
        await sleep(700)
        await kafka.kill()
        await kafka.start()
      }
      isOver = true
    })()
    let at = 0
    let refusals = 0
    while (!isOver || at < 500) {
      try {
        await rows.append(0, rowsOf(7, at, at + 50))
        at += 50
      } catch {
        refusals++
      }
    }
    await killing
    expect(refusals).toBeGreaterThan(0)
    expect(await committed(rows.name, 0, at)).toEqual(range(0, at))
  }, 170_000)
})
