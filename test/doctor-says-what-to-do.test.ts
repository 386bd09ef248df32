import kafkajs from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { doctor } from '../packages/server/src/doctor.ts'
import { knownProject } from './servers/known-projects.ts'
import { request, sendEvents } from './servers/requests.ts'
import { type ClickHouseSetUp, startClickHouse, type TestClickHouse } from './servers/start-clickhouse.ts'
import { type KafkaServer, kafkaIsMissing, startKafka } from './servers/start-kafka.ts'
import { isRedisSkipped, startRedis, type TestRedis } from './servers/start-redis.ts'
import { startServer, type TestServer } from './servers/start-server.ts'
import { until } from './servers/until.ts'

/** The rights that `/readyz` and the doctor ask for. */
const RIGHTS = ['SHOW, SELECT, INSERT, CREATE, ALTER, TRUNCATE ON nowcast.*']
const HOUR_MS = 3_600_000
const SEEN_MS = 60_000

/** What needs to be done, as the doctor says it. */
async function complaints(options: Parameters<typeof doctor>[0]): Promise<string[]> {
  const findings = await doctor({ dataDir: '/nonexistent/nowcast-data', ...options })
  return findings.filter(({ ok }) => !ok).map(({ what, message }) => `${what}: ${message}`)
}

describe.skipIf(isRedisSkipped)('a server beside ClickHouse and Redis', () => {
  let clickhouse: TestClickHouse
  let redis: TestRedis
  let server: TestServer
  const complaintsOf = () =>
    complaints({ dataDir: server.dataDir, redis: redis.url, clickhouse: clickhouse.urlOn(clickhouse.target.port) })
  beforeAll(async () => {
    ;[clickhouse, redis] = await Promise.all([startClickHouse({ rights: RIGHTS }), startRedis()])
    const config = { clickhouse: clickhouse.urlOn(clickhouse.target.port), redis: redis.url, duplicateOffsets: 1000 }
    server = await startServer({ config })
    await until(200, async () => (await request(`${server.url}/readyz`)).status, SEEN_MS)
  })
  afterAll(async () => {
    await server?.remove()
    await Promise.all([clickhouse?.remove(), redis?.remove()])
  })

  test('whose surroundings are as they must be has nothing to do, and the rights suffice', async () => {
    expect(await complaintsOf()).toEqual([])
    const [project] = await server.ownProjects()
    await sendEvents(server.url, project?.secretKey as string, [{ name: 'click', userId: 'u' }])
    const archived = () => clickhouse.run("SELECT count() FROM nowcast.events WHERE user_id = 'u'")
    await until('1', archived, SEEN_MS)
    const deletion = await server.run('delete-user', 'u')
    expect(deletion).toMatchObject({ code: 0 })
    expect(await archived()).toBe('0')
  })

  test('is told what has changed, with the command that mends it', async () => {
    const [project] = await server.ownProjects()
    const events = Array.from({ length: 2000 }, (_, i) => ({ name: 'click', anonymousId: `visitor-${i}` }))
    await sendEvents(server.url, project?.secretKey as string, events)
    await until(
      '2000',
      () => clickhouse.run("SELECT count() FROM nowcast.events WHERE anonymous_id LIKE 'visitor-%'"),
      SEEN_MS,
    )
    const alter = (change: string) => clickhouse.run(`ALTER TABLE nowcast.events ${change}`)
    await alter('RESET SETTING fsync_after_insert')
    await alter('DROP CONSTRAINT lease')
    await alter('MODIFY SETTING parts_to_throw_insert = 50, parts_to_delay_insert = 40')
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
    const said = await complaintsOf()
    expect(said).toEqual([
      expect.stringMatching(/^server: duplicates: .*recognised only 0 minutes back.*raise duplicateOffsets/),
      expect.stringMatching(/^Redis eviction .*run CONFIG SET maxmemory-policy noeviction/),
      expect.stringMatching(/^ClickHouse parts: inserts are refused while merges are a little behind/),
      expect.stringMatching(/^ClickHouse durability: a power cut may lose rows/),
      expect.stringMatching(/^ClickHouse lease: an archiver that was stopped for a while may write rows twice/),
    ])

    for (const statement of said.flatMap((complaint) => /ALTER TABLE nowcast.*$/.exec(complaint) ?? [])) {
      await clickhouse.run(statement)
    }
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
    expect(await complaintsOf()).toEqual([expect.stringMatching(/^server: duplicates/)])
  })

  test('says in /readyz that its user has lost its rights, and goes on once it has them again', async () => {
    const [project] = await server.ownProjects()
    const readiness = async () => JSON.stringify((await request(`${server.url}/readyz`)).body)
    await clickhouse.withRights(false)
    await sendEvents(server.url, project?.secretKey as string, [{ name: 'click', userId: 'later' }])
    const words = /its user lacks rights: GRANT SHOW, SELECT, INSERT, CREATE, ALTER, TRUNCATE ON nowcast/
    await until(true, async () => words.test(await readiness()), SEEN_MS)
    await clickhouse.withRights(true)
    await until('1', () => clickhouse.run("SELECT count() FROM nowcast.events WHERE user_id = 'later'"), SEEN_MS)
    await until(200, async () => (await request(`${server.url}/readyz`)).status, SEEN_MS)
  })

  const profiles: { what: string; setUp: ClickHouseSetUp; words: RegExp[] }[] = [
    {
      what: 'forbids settings, and bounds and cuts answers',
      setUp: {
        profile: `<read_overflow_mode>break</read_overflow_mode><constraints>
          <async_insert><const/></async_insert>
          <max_execution_time><max>45</max></max_execution_time>
          <max_partitions_per_insert_block><min>1</min></max_partitions_per_insert_block>
        </constraints>`,
        rights: ['SELECT, INSERT, ALTER ON nowcast.*'],
      },
      words: [
        /ClickHouse settings: .*take these constraints out of it\..*async_insert is fixed at 1, but must be 0 for archiving events/,
        /max_partitions_per_insert_block is at least 1, but must be 0 for archiving events/,
        /max_execution_time is at most 45, but must be 60 for preparing tables, 21600 for exporting events/,
        /ClickHouse limits: answers may be cut and look whole \(read_overflow_mode = break\): set it to 'throw'/,
        /ClickHouse rights: .*GRANT CREATE DATABASE, CREATE TABLE, TRUNCATE ON nowcast\.\* TO it/,
      ],
    },
    {
      what: 'lets it only read',
      setUp: { profile: '<readonly>2</readonly><max_rows_to_read>1000</max_rows_to_read>' },
      words: [
        /ClickHouse readonly: the user may only read \(readonly = 2\): give --clickhouse one with readonly = 0/,
        /ClickHouse limits: questions over long ranges are refused \(max_rows_to_read = 1000\): set it to 0/,
      ],
    },
    {
      what: 'lets it set nothing',
      setUp: { profile: '<readonly>1</readonly>' },
      words: [/ClickHouse connection: .*its user may only read: give --clickhouse one with readonly = 0/],
    },
  ]
  test.each(profiles)('is told that the profile of its user $what', async ({ setUp, words }) => {
    await clickhouse.kill()
    await clickhouse.start(setUp)
    const said = (await complaints({ clickhouse: clickhouse.urlOn(clickhouse.target.port) })).join('\n')
    for (const expected of words) expect(said).toMatch(expected)
  })
})

test('what does not answer is named, with its address', async () => {
  const nobody = '127.0.0.1:1'
  const said = await complaints({
    ...{ kafka: { brokers: [nobody] }, redis: `redis://${nobody}`, clickhouse: `http://${nobody}` },
    projects: [knownProject('shop', {})],
  })
  for (const service of ['Kafka brokers', 'Redis connection', 'ClickHouse connection']) {
    expect(said.find((complaint) => complaint.startsWith(service))).toContain(nobody)
  }
})

describe.skipIf(kafkaIsMissing)('a topic', () => {
  let kafka: KafkaServer
  let admin: kafkajs.Admin
  beforeAll(async () => {
    kafka = await startKafka()
    admin = new kafkajs.Kafka({ brokers: [kafka.address], logLevel: kafkajs.logLevel.NOTHING }).admin()
    await admin.connect()
  })
  afterAll(async () => {
    await admin?.disconnect()
    await kafka?.stop()
  })

  test('that keeps events for less than the archive may be behind is told, with both ways to mend it', async () => {
    const topic = 'nowcast.events'
    const made = { 'retention.ms': String(30 * HOUR_MS), 'message.timestamp.type': 'LogAppendTime' }
    const entries = (settings: Record<string, string>) =>
      Object.entries(settings).map(([name, value]) => ({ name, value }))
    const first = { topic, numPartitions: 2, replicationFactor: 1, configEntries: entries(made) }
    await admin.createTopics({ topics: [first] })
    const of = { brokers: [kafka.address], partitions: 2 }
    const said = await complaints({ kafka: of })
    expect(said).toHaveLength(1)
    expect(said[0]).toMatch(/Kafka retention\.ms: .*keeps events for 30 h, but kafka\.retentionMs says 72 h/)
    expect(said[0]).toMatch(/--entity-name nowcast\.events --add-config retention\.ms=259200000/)
    expect(await complaints({ kafka: { ...of, retentionMs: 30 * HOUR_MS } })).toEqual([])
    const type = kafkajs.ConfigResourceTypes.TOPIC
    const longer = { type, name: topic, configEntries: entries({ ...made, 'retention.ms': String(72 * HOUR_MS) }) }
    await admin.alterConfigs({ validateOnly: false, resources: [longer] })
    expect(await complaints({ kafka: of })).toEqual([])
  })
})
