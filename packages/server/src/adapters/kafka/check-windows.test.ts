import { Kafka, logLevel, type Producer } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KafkaServer, kafkaIsMissing, startKafka } from '../../../../../test/servers/start-kafka.ts'
import { checkWindows, longestTransactionMs } from './check-windows.ts'

const MINUTES = 60_000

describe.skipIf(kafkaIsMissing)('what doctor says of a job in Flink', () => {
  let kafka: KafkaServer
  let client: Kafka
  let producer: Producer

  beforeAll(async () => {
    kafka = await startKafka({ properties: { 'transaction.max.timeout.ms': 5 * MINUTES } })
    client = new Kafka({ brokers: [kafka.address], logLevel: logLevel.NOTHING })
    producer = client.producer()
    await producer.connect()
  })
  afterAll(async () => {
    await producer.disconnect()
    await kafka?.stop()
  })

  async function made(name: string, events: number): Promise<void> {
    const admin = client.admin()
    const topics = [
      { topic: `${name}.events`, numPartitions: 2 },
      { topic: `${name}.windows`, numPartitions: 1 },
    ]
    await admin.createTopics({ topics, waitForLeaders: true })
    await admin.disconnect()
    const messages = Array.from({ length: events }, () => ({ value: '{}', partition: 0 }))
    if (events > 0) await producer.send({ topic: `${name}.events`, messages })
  }

  const counted = (name: string, next: number) =>
    producer.send({
      topic: `${name}.windows`,
      messages: [
        {
          key: JSON.stringify({ kind: 'positions', at: 0, cell: '' }),
          value: JSON.stringify({
            generation: 'a',
            partitions: [{ partition: 0, first: 0, next, first_at: 0, last_at: Date.UTC(2026, 0, 1, 12) }],
          }),
        },
      ],
    })

  const optionsOf = (name: string, brokers = [kafka.address]) => ({
    ...{ brokers, topic: `${name}.windows`, watchMs: 1500 },
    events: { topic: `${name}.events`, partitions: 2 },
  })

  async function said(name: string, what = 'job'): Promise<string> {
    const found = (await checkWindows(optionsOf(name))).find((finding) => finding.what === what)
    return `${found?.ok ? '✓' : '✗'} ${found?.message}`
  }

  test('that there is no topic, and no Kafka', async () => {
    expect(await said('absent', 'topic')).toMatch(/✗ absent\.windows is not there: start the job with nowcast flink/)
    const [finding] = await checkWindows(optionsOf('absent', ['127.0.0.1:9']))
    expect(finding).toMatchObject({
      ok: false,
      message: expect.stringMatching(/^absent\.windows: no connection to Kafka at 127\.0\.0\.1:9/),
    })
  })

  test('that it was never started, and that others write where its windows are looked for', async () => {
    await made('foreign', 1)
    expect(await said('foreign')).toMatch(/✗ foreign\.windows holds no windows: start the job/)
    await producer.send({ topic: 'foreign.windows', messages: [{ key: 'a', value: 'b' }, { value: 'c' }] })
    expect(await said('foreign')).toMatch(
      /✗ foreign\.windows holds 2 records, but no windows of ours \(offset 0: .+\): stop whoever writes there .*--windows-topic/,
    )
  })

  test('that it keeps up, stands still, is behind', async () => {
    await made('job', 10)
    await counted('job', 10)
    expect(await said('job')).toBe('✓ job.windows holds what the job has counted: all events')
    await producer.send({
      topic: 'job.events',
      messages: Array.from({ length: 5 }, () => ({ value: '{}', partition: 0 })),
    })
    expect(await said('job')).toMatch(
      /✗ it has written nothing for \d s and 5 events wait; the last one that it counted came at 2026-01-01T12:00:00\.000Z: is it running, and do its checkpoints complete\?/,
    )
    const [words] = await Promise.all([
      said('job'),
      new Promise((resolve) => setTimeout(resolve, 700)).then(() => counted('job', 12)),
    ])
    expect(words).toMatch(/✗ it is behind: 3 events wait, and it counts \d a second: give it more task slots/)
    const [good] = await Promise.all([
      said('job'),
      new Promise((resolve) => setTimeout(resolve, 700)).then(() => counted('job', 15)),
    ])
    expect(good).toMatch(/^✓/)
  })

  test('that its events are of a topic that is no more', async () => {
    await made('anew', 3)
    await counted('anew', 7)
    expect(await said('anew')).toMatch(
      /✗ it has counted up to offset 7 of partition 0 of anew\.events, which ends at 3: .* made anew\. Delete anew\.windows/,
    )
  })

  test('that the brokers end transactions too soon', async () => {
    await made('limit', 0)
    expect(await said('limit', 'transaction.max.timeout.ms')).toMatch(
      /✗ what the job has written outlives an outage of 300 s only, and the job asks for 900000 ms: set .* or submit the job with --transaction-timeout 300s/,
    )
    expect(await longestTransactionMs(optionsOf('limit'))).toBe(5 * MINUTES)
  })
})
