import { afterAll, beforeAll, expect, test } from 'vitest'
import { postEvents, request } from '../servers/requests.ts'
import { until } from '../servers/until.ts'
import type { ClusterProcess } from './harness/cluster-process.ts'
import { type CountedLoad, createCountedLoad } from './harness/counted-load.ts'
import { type Cluster, startCluster } from './harness/start-cluster.ts'
import { untilReady, untilTold } from './harness/until-told.ts'

const SEEN_MS = 60_000
/** Older than what is compared. */
const OLD = Date.now() - 3 * 86_400_000
const TOPIC = 'nowcast.events'
const USER = 'nowcast'
const PASSWORD = 'right'
/** Of the user of ClickHouse: exactly those that its refusal asks for. */
const RIGHTS = ['SHOW, SELECT, INSERT, CREATE, ALTER, TRUNCATE ON nowcast.*']

let cluster: Cluster
let load: CountedLoad
/** Takes and answers. */
let front: ClusterProcess
let reader: ClusterProcess
beforeAll(async () => {
  const processes = [
    ['ingest', 'query'],
    ['aggregate', 'archive'],
  ] as const
  cluster = await startCluster({
    processes,
    kafka: { partitions: 2 },
    kafkaProperties: {
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'allow.everyone.if.no.acl.found': 'true',
    },
    redisLogin: { user: USER, password: PASSWORD },
    clickhouse: { rights: RIGHTS },
  })
  ;[front, reader] = cluster.processes as [ClusterProcess, ClusterProcess]
  load = createCountedLoad(cluster)
  await load.send(300)
  expect(await load.untilCounted()).toEqual([])
})
afterAll(() => cluster?.remove())

async function expectAllCounted(): Promise<void> {
  await load.send(300)
  expect(await load.untilCounted()).toEqual([])
  expect(await load.audit()).toContain('clean')
  for (const process of cluster.processes) await untilReady(process)
}

const alterEvents = (change: string) => cluster.clickhouse.run(`ALTER TABLE nowcast.events ${change}`)

async function newPassword(password: string): Promise<void> {
  await cluster.redis.command('ACL', 'SETUSER', USER, 'resetpass', `>${password}`)
  await cluster.redis.command('CLIENT', 'KILL', 'USER', USER)
}

async function restartClickHouse(profile: string): Promise<void> {
  await cluster.clickhouse.kill()
  await cluster.clickhouse.start({ profile, rights: RIGHTS })
}

test.each([
  {
    what: 'Redis has another password',
    words: /user or password are wrong: check those in --redis/,
    spoil: () => newPassword('another'),
    heal: () => newPassword(PASSWORD),
  },
  {
    what: 'ClickHouse’s user has lost its rights',
    words: /its user lacks rights: GRANT SHOW, SELECT, INSERT/,
    spoil: () => cluster.clickhouse.withRights(false),
    heal: () => cluster.clickhouse.withRights(true),
  },
  {
    what: 'ClickHouse’s user may only read',
    words: /its user may only read: give --clickhouse one with readonly = 0/,
    spoil: () => restartClickHouse('<readonly>1</readonly>'),
    heal: () => restartClickHouse(''),
  },
  {
    what: 'ClickHouse’s disk is full',
    words: /its disk is full: make room, or shorten the retention/,
    spoil: () => alterEvents('MODIFY SETTING min_free_disk_bytes_to_perform_insert = 1000000000000000'),
    heal: () => alterEvents('RESET SETTING min_free_disk_bytes_to_perform_insert'),
  },
  {
    what: 'ClickHouse has too many parts',
    words: /it merges parts more slowly than they come/,
    spoil: () => alterEvents('MODIFY SETTING parts_to_throw_insert = 1, parts_to_delay_insert = 1'),
    heal: () => alterEvents('RESET SETTING parts_to_throw_insert, parts_to_delay_insert'),
  },
])('$what: said in words, events are taken, and counted once it heals', async ({ words, spoil, heal }) => {
  await spoil()
  try {
    await load.send(300)
    await untilTold(reader, words)
    // The log may first have said that there was no connection.
    await until(true, () => words.test(reader.stderr()), SEEN_MS)
    await load.send(300)
  } finally {
    await heal()
  }
  await expectAllCounted()
})

/** Rights of everybody on the topic. */
const rights = (...change: string[]) =>
  cluster.kafka.runTool('org.apache.kafka.tools.AclCommand', [
    ...['--bootstrap-server', cluster.kafka.address, '--topic', TOPIC, '--force'],
    ...change,
  ])
const setTopic = (...change: string[]) =>
  cluster.kafka.runTool('kafka.admin.ConfigCommand', [
    ...['--bootstrap-server', cluster.kafka.address, '--alter', '--entity-type', 'topics', '--entity-name', TOPIC],
    ...change,
  ])

test.each([
  {
    what: 'Kafka refuses to be written to',
    words: /the user may not use the topic: grant it Read, Write/,
    async spoil() {
      await rights('--add', '--allow-principal', 'User:*', '--operation', 'All')
      await rights('--add', '--deny-principal', 'User:*', '--operation', 'Write')
    },
    heal: () => rights('--remove'),
  },
  {
    what: 'Kafka takes no message as large as ours',
    words: /the topic takes no batch of this size: set max\.message\.bytes/,
    spoil: () => setTopic('--add-config', 'max.message.bytes=100'),
    heal: () => setTopic('--delete-config', 'max.message.bytes'),
  },
])(
  '$what: 503 with the words, the same in /readyz and the log, and all goes on once it heals',
  async (surroundings) => {
    const { words, spoil, heal } = surroundings
    let number = 0
    const refusedEvent = () => ({ id: `refused-${number++}`, name: 'click', timestamp: OLD, anonymousId: 'a' })
    const post = () => postEvents(front.url, cluster.project.secretKey, { events: [refusedEvent()] })
    await spoil()
    try {
      // A change of settings takes a moment to reach the broker.
      await until(503, async () => (await post()).status, SEEN_MS)
      const { headers, body } = await post()
      expect(headers.get('retry-after')).toMatch(/^\d+$/)
      expect(body.error?.message).toMatch(words)
      await untilTold(front, words)
      expect(front.stderr()).toMatch(words)
      // Whoever asks before sending is let in again, and so finds out when it has healed.
      await untilReady(front)
    } finally {
      await heal()
    }
    await until(202, async () => (await post()).status, SEEN_MS)
    await expectAllCounted()
  },
)

test('records that somebody else wrote into the topic are counted, kept aside and passed over', async () => {
  const foreign = async () => {
    const { body } = await request<{ text: string }>(`${reader.url}/metrics`)
    const counted = [...body.text.matchAll(/^nowcast_log_foreign_records_total\{[^}]*\} (\d+)$/gm)]
    return counted.reduce((sum, [, records]) => sum + Number(records), 0)
  }
  const before = await foreign()
  const on = ['--bootstrap-server', cluster.kafka.address, '--topic', TOPIC]
  const lines = ['not JSON at all', '{"another":"schema"}', '']
  await cluster.kafka.runTool('org.apache.kafka.tools.ConsoleProducer', on, lines.join('\n'))
  await until(true, async () => (await foreign()) >= before + 2, SEEN_MS)
  await expectAllCounted()
  const kept = () =>
    cluster.clickhouse.run(
      "SELECT message, event FROM nowcast.rejected_events WHERE project = '' AND code = 'foreign_record' FORMAT TSV",
    )
  await until(true, async () => /partition \d, offset \d+: no header nowcast\t.*(not JSON|schema)/.test(await kept()))
  expect(reader.stderr()).toContain('records in the topic that Nowcast did not write are passed over')
})
