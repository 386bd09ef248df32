import { Kafka, logLevel, type Producer, type Transaction } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KafkaServer, kafkaIsMissing, startKafka } from '../../../../../test/servers/start-kafka.ts'
import { until } from '../../../../../test/servers/until.ts'
import type { WindowFeed, WindowRow } from '../../ports/window-feed.ts'
import { HyperLogLog } from '../../sketch/hyperloglog.ts'
import { createKafkaWindowFeed } from './kafka-window-feed.ts'

const CELL = ['shop', 'purchase', 'DE', 'mobile', '(none)', '', '', ''].join('\0')

describe.skipIf(kafkaIsMissing)('the feed of windows on a real broker', () => {
  let kafka: KafkaServer
  let client: Kafka
  const producers: Producer[] = []
  let topics = 0

  beforeAll(async () => {
    kafka = await startKafka()
    client = new Kafka({ brokers: [kafka.address], logLevel: logLevel.NOTHING })
  })
  afterAll(async () => {
    for (const producer of producers) await producer.disconnect()
    await kafka?.stop()
  })

  async function writer(id: string): Promise<Producer> {
    const producer = client.producer({ transactionalId: id, maxInFlightRequests: 1, idempotent: true })
    await producer.connect()
    producers.push(producer)
    return producer
  }

  async function opened(): Promise<{ feed: WindowFeed; topic: string; warnings: string[]; foreign: object[] }> {
    const topic = `windows-${topics++}`
    const warnings: string[] = []
    const foreign: object[] = []
    const feed = createKafkaWindowFeed({
      brokers: [kafka.address],
      topic,
      onWarning: (message) => warnings.push(message),
      onForeign: (records) => foreign.push(records),
    })
    await feed.start()
    return { feed, topic, warnings, foreign }
  }

  const second = (n: number) => ({
    key: JSON.stringify({ kind: 'second', at: n * 1000, cell: CELL }),
    value: JSON.stringify({ events: n }),
  })
  const send = (to: Producer | Transaction, topic: string, ...numbers: number[]) =>
    to.send({ topic, messages: numbers.map(second) })
  const numberOf = (row: WindowRow) => (row.kind === 'second' ? row.events : -1)

  /** Reads until a read brings nothing and all is whole. */
  async function drained(feed: WindowFeed, from: number): Promise<{ numbers: number[]; to: number }> {
    const numbers: number[] = []
    for (let at = from; ; ) {
      const { rows, to, isWhole } = await feed.read(at)
      numbers.push(...rows.map(numberOf))
      if (isWhole && to === at) return { numbers, to }
      at = to
    }
  }

  test('rows of an aborted transaction never come, those of others around and within it do', async () => {
    const { feed, topic } = await opened()
    const [one, two] = [await writer(`${topic}-1`), await writer(`${topic}-2`)]
    const committed = await one.transaction()
    await send(committed, topic, 1, 2)
    const aborted = await two.transaction()
    await send(aborted, topic, 100, 101)
    await send(committed, topic, 3)
    await send(aborted, topic, 102)
    await committed.commit()
    await aborted.abort()
    // The same producer again: what it aborted before says nothing of this.
    const again = await two.transaction()
    await send(again, topic, 4)
    await again.commit()
    const last = await two.transaction()
    await send(last, topic, 103)
    await last.abort()
    const { numbers, to } = await drained(feed, await feed.beginning())
    expect(numbers).toEqual([1, 2, 3, 4])
    // Rows, and the record with which each of the four transactions ended.
    expect(to).toBe(8 + 4)
    // From the midst of a transaction on the rest of it is told from others as well.
    expect((await drained(feed, 3)).numbers).toEqual([3, 4])
    expect((await drained(feed, 5)).numbers).toEqual([4])
    await feed.stop()
  })

  test('rows come when their transaction was committed, and nothing overtakes an open one', async () => {
    const { feed, topic } = await opened()
    const [one, two] = [await writer(`${topic}-1`), await writer(`${topic}-2`)]
    const first = await one.transaction()
    await send(first, topic, 1)
    const second = await two.transaction()
    await send(second, topic, 2)
    await second.commit()
    expect(await feed.read(0)).toEqual({ rows: [], to: 0, isWhole: true })
    const waiting = drained(feed, 0)
    await first.commit()
    expect((await waiting).numbers.length).toBeLessThanOrEqual(2)
    expect((await drained(feed, 0)).numbers).toEqual([1, 2])
    await feed.stop()
  })

  test('a large transaction comes in parts, of which only the last is whole', async () => {
    const { feed, topic } = await opened()
    const producer = await writer(topic)
    const transaction = await producer.transaction()
    const sketch = new HyperLogLog()
    for (let register = 0; register < 16_384; register += 3) sketch.addRegister(register, 2)
    const users = sketch.toRedis().toString('base64')
    const dense = sketch.toDense()
    for (let batch = 0; batch < 14; batch++) {
      const messages = Array.from({ length: 45 }, (_, i) => ({
        key: JSON.stringify({ kind: 'minute', at: (batch * 45 + i) * 60_000, cell: CELL }),
        value: JSON.stringify({ events: 1, revenue: '-1.5000', refunds: 1, refund_revenue: '-1.5000', users }),
      }))
      await transaction.send({ topic, messages })
    }
    await transaction.commit()
    const parts: boolean[] = []
    let rows = 0
    let at = 0
    do {
      const slice = await feed.read(at)
      parts.push(slice.isWhole)
      rows += slice.rows.length
      at = slice.to
      for (const row of slice.rows) {
        if (row.kind !== 'minute') throw new Error(row.kind)
        expect(row.content).toMatchObject({
          revenue: -15_000n,
          refunds: 1,
          refundRevenue: -15_000n,
          sessions: undefined,
        })
        expect(Buffer.compare(row.content.users?.toDense() ?? new Uint8Array(), dense)).toBe(0)
      }
    } while (!parts.at(-1))
    expect(rows).toBe(14 * 45)
    expect(parts.length).toBeGreaterThan(1)
    expect(parts.slice(0, -1)).not.toContain(true)
    await feed.stop()
  })

  test('records that are no rows are passed over and told, and the rest comes', async () => {
    const { feed, topic, foreign } = await opened()
    const producer = client.producer()
    await producer.connect()
    producers.push(producer)
    const positions = {
      generation: 'g',
      partitions: [{ partition: 1, first: 0, next: 5, first_at: 1000, last_at: 2000 }],
    }
    const bad = [
      { key: 'x', value: 'no JSON' },
      { key: second(1).key, value: null },
      { key: second(1).key, value: '{"events":1.5}' },
      { key: JSON.stringify({ kind: 'minute', at: 0, cell: CELL }), value: '{"events":1,"revenue":"1.5"}' },
      { key: JSON.stringify({ kind: 'hour', at: 0, cell: CELL }), value: '{"events":1}' },
    ]
    await producer.send({
      topic,
      messages: [
        ...bad,
        { key: JSON.stringify({ kind: 'positions', at: 0, cell: '' }), value: JSON.stringify(positions) },
      ],
    })
    await send(producer, topic, 7)
    let rows: WindowRow[] = []
    for (let at = 0; rows.length < 2; ) {
      const slice = await feed.read(at)
      rows = [...rows, ...slice.rows]
      at = slice.to
    }
    const counted = [{ partition: 1, first: 0, next: 5, firstAt: 1000, lastAt: 2000 }]
    expect(rows[0]).toEqual({ kind: 'positions', generation: 'g', partitions: counted, offset: bad.length })
    expect(numberOf(rows[1] as WindowRow)).toBe(7)
    expect(foreign).toEqual([{ offset: 0, count: bad.length, reason: expect.stringContaining('JSON') }])
    await feed.stop()
  })

  test('a topic that the brokers deleted and made anew is another feed, and one of several partitions is refused', async () => {
    const { feed, topic } = await opened()
    const { epoch } = feed
    const admin = client.admin()
    await admin.connect()
    await admin.deleteTopics({ topics: [topic] })
    const said = () =>
      feed.read(0).then(
        () => '',
        (error: Error) => error.message,
      )
    await until(
      `Kafka, topic ${topic}: it is not there: was it deleted?`,
      async () => (await said()).split(' Cancel')[0] as string,
    )
    expect(await said()).toMatch(/Cancel the job in Flink, and start it anew, without a savepoint, with nowcast flink/)
    const again = createKafkaWindowFeed({ brokers: [kafka.address], topic })
    await again.start()
    expect(again.epoch).not.toBe(epoch)
    await expect(
      (async () => {
        while (feed.epoch === epoch) await feed.read(0).catch(() => {})
        return feed.epoch
      })(),
    ).resolves.toBe(again.epoch)
    await admin.createTopics({ topics: [{ topic: `${topic}-wide`, numPartitions: 2 }] })
    await admin.disconnect()
    const wide = createKafkaWindowFeed({ brokers: [kafka.address], topic: `${topic}-wide` })
    await expect(wide.start()).rejects.toThrow(/2 partitions.*delete it/)
    for (const each of [feed, again, wide]) await each.stop()
  })
})
