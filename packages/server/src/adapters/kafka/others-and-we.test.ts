import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type KafkaServer, kafkaIsMissing, startKafka } from '../../../../../test/servers/start-kafka.ts'
import { createLogReader } from '../../consume/log-reader.ts'
import { batchOf, readNumbers, rowsOf } from '../../ports/event-log.conformance.ts'
import type { EventLog } from '../../ports/event-log.ts'
import { NO_EVENT } from '../../record/record-batch.ts'
import { createKafkaEventLog, type KafkaEventLogOptions } from './kafka-event-log.ts'
import type { ForeignRecords } from './records/decode-records.ts'

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

describe.skipIf(kafkaIsMissing)('in one topic', () => {
  let kafka: KafkaServer
  let client: kafkajs.Kafka
  let admin: kafkajs.Admin
  let producer: kafkajs.Producer
  let topics = 0
  let topic: string
  const opened: EventLog[] = []
  beforeAll(async () => {
    kafka = await startKafka()
    client = new kafkajs.Kafka({ brokers: [kafka.address], logLevel: kafkajs.logLevel.NOTHING })
    admin = client.admin()
    producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
    await Promise.all([admin.connect(), producer.connect()])
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((log) => log.stop()))
  })
  afterAll(async () => {
    await Promise.all([admin.disconnect(), producer.disconnect()])
    await kafka.stop()
  })

  async function open(options: Partial<KafkaEventLogOptions> = {}): Promise<EventLog> {
    topic = options.topic ?? `shared-${topics++}`
    const log = createKafkaEventLog({ brokers: [kafka.address], partitions: 1, ...options, topic })
    await log.start()
    opened.push(log)
    return log
  }

  /** What kafkajs's consumer gets, from the first record on. */
  async function consumed(count: number): Promise<kafkajs.KafkaMessage[]> {
    const consumer = client.consumer({ groupId: `reads-${topic}` })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    const messages: kafkajs.KafkaMessage[] = []
    await new Promise<void>((resolve) => {
      void consumer.run({
        eachMessage: async ({ message }) => {
          messages.push(message)
          if (messages.length === count) resolve()
        },
      })
    })
    await consumer.disconnect()
    return messages
  }

  test.each(['none', 'gzip'] as const)('Kafka’s own tools read what we write (%s)', async (compression) => {
    const log = await open({ compression })
    await log.append([batchOf(0, 3)])
    const printed = await kafka.runTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
      ...['--bootstrap-server', kafka.address, '--topic', topic, '--from-beginning', '--max-messages', '3'],
      ...['--property', 'print.key=true', '--property', 'print.headers=true', '--property', 'print.offset=true'],
    ])
    const lines = printed.trim().split('\n')
    expect(lines).toHaveLength(3)
    for (const [n, line] of lines.entries()) {
      expect(line).toContain(`Offset:${n}`)
      expect(line).toContain('nowcast:')
      expect(line).toContain(`p:sender-${n}`)
      expect(JSON.parse(line.slice(line.lastIndexOf('\t') + 1))).toEqual({ n, text: 'naïve 🦉' })
    }
  })

  test.each(['gzip', 'snappy', 'lz4', 'zstd'])(
    'events are ours also where the broker packs them as %s',
    async (type) => {
      topic = `packed-${type}`
      const configEntries = [{ name: 'compression.type', value: type }]
      await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1, configEntries }] })
      const log = await open({ topic })
      await log.append([batchOf(0, 3000)])
      const { offset, batch } = (await log.read(0, 0)) as NonNullable<Awaited<ReturnType<EventLog['read']>>>
      expect([offset, batch.count]).toEqual([0, 3000])
      expect(rowsOf(batch)).toEqual(rowsOf(batchOf(0, 3000)))
      expect(batch.ids).toEqual(batchOf(0, 3000).ids)
    },
  )

  test('events that somebody has copied, with other compression and more headers, are read as they were', async () => {
    const log = await open()
    await log.append([batchOf(0, 5)])
    const messages = await consumed(5)
    const copy = await open()
    await producer.send({
      topic,
      compression: kafkajs.CompressionTypes.GZIP,
      messages: messages.map(({ key, value, headers }) => ({ key, value, headers: { from: 'elsewhere', ...headers } })),
    })
    expect(await readNumbers(copy, 0, 0)).toEqual(range(0, 5))
    expect((await copy.read(0, 0))?.batch.ids).toEqual(batchOf(0, 5).ids)
  })

  test('records that are not ours are passed over, counted and shown, and the offsets keep in step', async () => {
    const foreign: ForeignRecords[] = []
    const log = await open({ onForeign: (_, records) => foreign.push(records) })
    await log.append([batchOf(0, 5)])
    const [ours] = await consumed(1)
    const header = ours?.headers?.nowcast as Buffer
    const newer = Buffer.from(header)
    newer[0] = 9
    const messages: kafkajs.Message[] = [
      { value: '{"no":"header"}' },
      { key: 'k', value: 'not JSON at all' },
      { key: 'tombstone', value: null },
      { value: '{}', headers: { nowcast: 'too short' } },
      { value: '{"of":"tomorrow"}', headers: { nowcast: newer } },
      { value: 'no JSON', headers: { nowcast: header } },
      { value: '{}', headers: { nowcast: header.subarray(0, 60) } },
    ]
    await producer.send({ topic, messages })
    await log.append([batchOf(5, 7)])
    for (const isCommitted of [true, false]) {
      const transactional = client.producer({
        createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
        transactionalId: `t-${isCommitted}`,
        idempotent: true,
        maxInFlightRequests: 1,
      })
      await transactional.connect()
      const transaction = await transactional.transaction()
      await transaction.send({ topic, messages: [{ value: '{"in":"a transaction"}' }] })
      await (isCommitted ? transaction.commit() : transaction.abort())
      await transactional.disconnect()
    }
    // The end of a transaction is written a little after it is acknowledged.
    while ((await log.extent(0)).end < 18) await sleep(50)
    await log.append([batchOf(7, 10)])
    // Five of ours, seven of others, two of ours, two transactions with their ends, three of ours.
    expect((await log.extent(0)).end).toBe(21)

    const reader = createLogReader(log, { partition: 0, duplicateOffsets: 1000, duplicateMs: 3_600_000 })
    await reader.seek(0)
    const numbers: number[] = []
    for (let slice = await reader.next(); slice; slice = await reader.next()) {
      const text = Buffer.from(slice.batch.rows)
      const { rowEnds } = slice.batch
      for (let i = slice.first; i < slice.last; i++) {
        expect(slice.excluded[i]).toBe((slice.batch.flags[i] as number) & NO_EVENT)
        if (slice.excluded[i]) continue
        const row = JSON.parse(text.toString('utf8', i === 0 ? 0 : rowEnds[i - 1], rowEnds[i]))
        numbers.push(row.n)
        // Its place in the log follows from its place in the batch.
        expect(slice.offset + i).toBe(row.n + (row.n < 5 ? 0 : row.n < 7 ? 7 : 11))
      }
    }
    expect(numbers).toEqual(range(0, 10))
    expect(reader.position).toBe(21)
    expect(foreign.reduce((sum, { count }) => sum + count, 0)).toBe(11)
    expect(foreign[0]).toMatchObject({ offset: 5, reason: 'no header nowcast', sample: '{"no":"header"}' })

    const received: number[] = []
    const ids: number[] = []
    for await (const chunk of log.readIdentities(0, 0, 21)) {
      expect(chunk.offset).toBe(received.length)
      received.push(...chunk.receivedAt)
      ids.push(...chunk.ids)
    }
    expect(received).toHaveLength(21)
    const hasId = range(0, 21).map((i) => (ids[i * 3] as number) !== 0)
    expect(hasId.filter(Boolean)).toHaveLength(10)
  })

  test('what retention has cut is passed over, and identities begin where the log does', async () => {
    const log = await open()
    for (let i = 0; i < 5; i++) await log.append([batchOf(i * 10, i * 10 + 10)])
    expect(await readNumbers(log, 0, 0)).toEqual(range(0, 50))
    // kafkajs deletes only from topics that it has asked about.
    await admin.fetchTopicOffsets(topic)
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '25' }] })
    // A reader that has nothing in memory yet.
    const fresh = await open({ topic })
    const slice = await fresh.read(0, 3)
    const first = Math.max(0, 25 - (slice?.offset ?? 0))
    expect(slice && rowsOf(slice.batch, first)[0]).toMatchObject({ n: 25 })
    expect(await fresh.extent(0)).toEqual({ start: 25, identityStart: 25, end: 50 })
    const reader = createLogReader(fresh, { partition: 0, duplicateOffsets: 10, duplicateMs: 1000 })
    await reader.seek(0)
    const next = await reader.next()
    expect(next?.from).toBe(slice?.offset)
    expect(reader.cut).toBe(slice?.offset)
  })

  test('a topic that was deleted and made anew is another log, and readers are told', async () => {
    const log = await open()
    await log.append([batchOf(0, 5)])
    const { epoch } = log
    const reader = createLogReader(log, { partition: 0, duplicateOffsets: 10, duplicateMs: 1000 })
    await reader.seek(0)
    expect((await reader.next())?.to).toBe(5)
    await admin.deleteTopics({ topics: [topic] })
    await expect(log.append([batchOf(5, 6)])).rejects.toMatchObject({ code: 'log_unavailable', retryable: true })
    // Another node makes it.
    const other = await open({ topic })
    await other.append([batchOf(100, 110)])
    const failure = await new Promise<Error>((resolve) => {
      const read = () => reader.next().then(() => setTimeout(read, 50), resolve)
      read()
    })
    expect(failure).toMatchObject({ code: 'log_unavailable', retryable: true })
    while (log.epoch === epoch) await log.read(0, 0).catch(() => {})
    expect(log.epoch).toBe(other.epoch)
    await reader.seek(0)
    const slice = await reader.next()
    expect(slice && rowsOf(slice.batch)[0]).toMatchObject({ n: 100 })
    expect(slice?.excluded.every((one) => one === 0)).toBe(true)
  })
})
