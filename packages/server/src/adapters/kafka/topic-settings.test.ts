import kafkajs from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KafkaServer, kafkaIsMissing, startKafka } from '../../../../../test/servers/start-kafka.ts'
import { checkKafka } from './check-kafka.ts'
import { createKafkaEventLog } from './kafka-event-log.ts'

describe.skipIf(kafkaIsMissing)('the topic', () => {
  let kafka: KafkaServer
  let admin: kafkajs.Admin
  beforeAll(async () => {
    kafka = await startKafka()
    admin = new kafkajs.Kafka({ brokers: [kafka.address], logLevel: kafkajs.logLevel.NOTHING }).admin()
    await admin.connect()
  })
  afterAll(async () => {
    await admin.disconnect()
    await kafka.stop()
  })

  const optionsOf = (topic: string) => ({ brokers: [kafka.address], topic, partitions: 3 })

  async function made(topic: string, numPartitions: number, settings: Record<string, string>): Promise<void> {
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
    await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }] })
  }

  /** How long each topic keeps events, as its log has said. */
  const kept: Record<string, number> = {}

  async function startingProblem(topic: string, warnings: string[] = []): Promise<string | undefined> {
    const log = createKafkaEventLog({
      ...optionsOf(topic),
      onWarning: (message) => warnings.push(message),
      onRetention: (ms) => {
        kept[topic] = ms
      },
    })
    try {
      await log.start()
      return undefined
    } catch (error) {
      return (error as Error).message
    } finally {
      await log.stop()
    }
  }

  const problems = async (topic: string) =>
    (await checkKafka(optionsOf(topic))).filter(({ ok }) => !ok).map(({ what }) => what)

  test('is made as events need it, and then has nothing that a check complains about', async () => {
    expect((await checkKafka(optionsOf('made'))).map(({ message }) => message).join()).toContain('is not there yet')
    const warnings: string[] = []
    expect(await startingProblem('made', warnings)).toBeUndefined()
    expect(warnings).toEqual([])
    expect(await problems('made')).toEqual([])
    const { resources } = await admin.describeConfigs({
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: 'made' }],
      includeSynonyms: false,
    })
    const settings = new Map(resources[0]?.configEntries.map((entry) => [entry.configName, entry.configValue]))
    expect(settings.get('cleanup.policy')).toBe('delete')
    expect(settings.get('message.timestamp.type')).toBe('LogAppendTime')
    expect(settings.get('retention.ms')).toBe(String(72 * 3_600_000))
    expect((await admin.fetchTopicMetadata({ topics: ['made'] })).topics[0]?.partitions).toHaveLength(3)
  })

  test('is made once, however many nodes start at a time', async () => {
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => startingProblem('at-once')))
    expect(outcomes).toEqual([undefined, undefined, undefined, undefined])
  })

  test('with fewer partitions than configured is refused, with what to do', async () => {
    await made('narrow', 2, {})
    expect(await startingProblem('narrow')).toMatch(/has 2 partitions, kafka.partitions is 3: set it to/)
  })

  test('with more partitions than configured is used as far as configured', async () => {
    await made('wide', 5, { 'message.timestamp.type': 'LogAppendTime', 'retention.ms': '-1' })
    const warnings: string[] = []
    expect(await startingProblem('wide', warnings)).toBeUndefined()
    expect(warnings.join()).toContain('has 5 partitions, of which 3')
    expect(kept.wide).toBe(Number.POSITIVE_INFINITY)
  })

  test('that compacts events away is refused, with the command that mends it', async () => {
    await made('compacted', 3, { 'cleanup.policy': 'compact' })
    expect(await startingProblem('compacted')).toMatch(
      /kafka-configs\.sh .*--entity-name compacted --add-config cleanup\.policy=delete/,
    )
  })

  test('with settings that endanger events is warned about, with the commands that mend it', async () => {
    await made('risky', 3, {
      'retention.ms': '3600000',
      'retention.bytes': '1000000',
      'message.timestamp.type': 'CreateTime',
      'max.message.bytes': '100000',
      'unclean.leader.election.enable': 'true',
    })
    const warnings: string[] = []
    expect(await startingProblem('risky', warnings)).toBeUndefined()
    expect(warnings.filter((warning) => warning.includes('kafka-configs.sh'))).toHaveLength(5)
    expect(kept.risky).toBe(3_600_000)
    expect(await problems('risky')).toEqual([
      'retention.ms',
      'retention.bytes',
      'message.timestamp.type',
      'max.message.bytes',
      'unclean.leader.election.enable',
    ])
  })

  test('a check of brokers that do not answer says so instead of failing', async () => {
    const findings = await checkKafka({ brokers: ['127.0.0.1:1'], partitions: 3 })
    expect(findings).toMatchObject([{ what: 'brokers', ok: false }])
    expect(findings[0]?.message).toContain('127.0.0.1:1')
  })
})
