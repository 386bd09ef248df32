import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SeriesAnswer } from '@nowcast/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RUN } from '../faults/harness/generated-traffic.ts'
import { readTokenOf } from '../servers/known-projects.ts'
import { ask, postEvents, request } from '../servers/requests.ts'
import { until } from '../servers/until.ts'
import type { ClusterProcess } from './harness/cluster-process.ts'
import { type CountedLoad, createCountedLoad } from './harness/counted-load.ts'
import { type Cluster, startCluster } from './harness/start-cluster.ts'
import { untilReady, untilTold } from './harness/until-told.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const PARTITIONS = 2
const SEEN_MS = 60_000
const TOPIC = 'nowcast.events'

let cluster: Cluster
let load: CountedLoad
/** Takes and answers; reads the log. */
let front: ClusterProcess
let reader: ClusterProcess
beforeAll(async () => {
  const processes = [
    ['ingest', 'query'],
    ['aggregate', 'archive'],
  ] as const
  cluster = await startCluster({ processes, kafka: { partitions: PARTITIONS } })
  ;[front, reader] = cluster.processes as [ClusterProcess, ClusterProcess]
  load = createCountedLoad(cluster, 30 * HOUR_MS)
  await load.send(300)
  expect(await load.untilCounted()).toEqual([])
})
afterAll(() => cluster?.remove())

/** Sends events until they are acknowledged. */
async function untilTaken(): Promise<void> {
  const isTaken = () =>
    load.send(300).then(
      () => true,
      () => false,
    )
  await until(true, isTaken, SEEN_MS)
}

async function expectAllCounted(): Promise<void> {
  await load.send(300)
  expect(await load.untilCounted()).toEqual([])
  expect(await load.audit()).toContain('clean')
  for (const process of cluster.processes) await untilReady(process)
}

test('late and future events that were aggregated late stand in their own minutes, and no expired minute is revived', async () => {
  reader.signal('SIGSTOP')
  const now = Date.now()
  const expired = [now - DAY_MS - 2 * HOUR_MS, now - 2 * 365 * DAY_MS]
  const times = [now - DAY_MS + MINUTE_MS, now - DAY_MS - MINUTE_MS, now + 4 * MINUTE_MS, ...expired]
  for (const time of times) await load.send(20, time)
  reader.signal('SIGCONT')
  expect(await load.untilCounted()).toEqual([])
  for (const time of times) {
    const from = Math.floor(time / MINUTE_MS) * MINUTE_MS
    const range = { from, to: from + MINUTE_MS }
    for (const filters of [{}, { 'properties.run': [RUN] }]) {
      const query = { kind: 'series', metric: 'events', granularity: 'minute', range, filters }
      const counted = async () =>
        (await ask<SeriesAnswer>(front.url, readTokenOf(cluster.project), query)).series[0]?.points[0]?.v ?? 0
      await until(20, counted, SEEN_MS)
    }
  }
  const keys = (await cluster.redis.command('KEYS', 'nowcast:*:minute:*')).split('\n')
  const minutes = keys.map((key) => Number(/minute:(\d+)$/.exec(key)?.[1]) * MINUTE_MS)
  expect(minutes.length).toBeGreaterThan(0)
  expect(Math.min(...minutes)).toBeGreaterThan(Math.max(...expired))
  await expectAllCounted()
})

test.each([
  {
    what: 'Redis became a replica',
    words: /replica that takes no writes: give the address of the master/,
    spoil: () => cluster.redis.command('REPLICAOF', '127.0.0.1', '1'),
    heal: () => cluster.redis.command('REPLICAOF', 'NO', 'ONE'),
  },
  {
    what: 'Redis is full',
    words: /memory is full: raise maxmemory/,
    spoil: () => cluster.redis.command('CONFIG', 'SET', 'maxmemory', '500kb'),
    heal: () => cluster.redis.command('CONFIG', 'SET', 'maxmemory', '0'),
  },
  {
    what: 'Redis took rights away',
    words: /the user lacks rights: give it/,
    spoil: () => cluster.redis.command('ACL', 'SETUSER', 'default', '-evalsha', '-eval', '-hget'),
    heal: () => cluster.redis.command('ACL', 'SETUSER', 'default', '+@all'),
  },
  {
    what: 'ClickHouse is away',
    words: /ClickHouse did not answer/,
    spoil: async () => {
      reader.ways.clickhouse.refuse(true)
      reader.ways.clickhouse.reset()
    },
    heal: async () => reader.ways.clickhouse.refuse(false),
  },
])('$what: said in words, events are taken, and counted once it heals', async ({ words, spoil, heal }) => {
  await spoil()
  try {
    await load.send(300)
    await untilTold(reader, words)
    await load.send(300)
  } finally {
    await heal()
  }
  await expectAllCounted()
})

test('a database that was dropped is filled again from the log', async () => {
  await cluster.clickhouse.run('DROP DATABASE nowcast SYNC')
  await load.send(300)
  await expectAllCounted()
  expect(await cluster.clickhouse.run('SHOW CREATE TABLE nowcast.events')).toContain('CONSTRAINT lease')
})

test('while the topic is deleted events are answered 503 with words, and once it is made anew all new ones are counted', async () => {
  const tool = 'org.apache.kafka.tools.TopicCommand'
  const on = ['--bootstrap-server', cluster.kafka.address, '--topic', TOPIC]
  await cluster.kafka.runTool(tool, [...on, '--delete'])
  const batch = { events: [{ id: 'refused', name: 'click', anonymousId: 'a' }] }
  const { status, headers, body } = await postEvents(front.url, cluster.project.secretKey, batch)
  expect(status).toBe(503)
  expect(headers.get('retry-after')).toMatch(/^\d+$/)
  expect(JSON.stringify(body)).toContain('kafka-topics.sh --create')
  for (const process of cluster.processes) await untilTold(process, /the topic is not there: was it deleted\?/)
  const settings = ['--config', 'message.timestamp.type=LogAppendTime', '--replication-factor', '1']
  await cluster.kafka.runTool(tool, [...on, '--create', '--partitions', String(PARTITIONS), ...settings])
  await untilTaken()
  await expectAllCounted()
})

/** Deletes everything that the topic holds, as retention does. */
async function deleteRecords(): Promise<void> {
  const file = join(cluster.folder, 'delete-records.json')
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: TOPIC, partition, offset: -1 }))
  await writeFile(file, JSON.stringify({ version: 1, partitions }))
  const on = ['--bootstrap-server', cluster.kafka.address, '--offset-json-file', file]
  await cluster.kafka.runTool('org.apache.kafka.tools.DeleteRecordsCommand', on)
}

/** Events that were gone from the log before each stage of the running reader had read them. */
async function cuts(): Promise<{ aggregate: number; archive: number }> {
  const { body } = await request<{ text: string }>(`${reader.url}/metrics`)
  const of = (stage: string) =>
    Number(new RegExp(`nowcast_log_cut_total{stage="${stage}"} (\\d+)`).exec(body.text)?.[1] ?? 0)
  return { aggregate: of('aggregate'), archive: of('archive') }
}

test('repeats that came last and were deleted from the log are not counted as cut by an archiver that starts', async () => {
  await load.send(300)
  await load.sendAgain()
  // It ends when the archive has passed everything, and has shown so.
  expect(await load.audit()).toContain('clean')
  await deleteRecords()
  await reader.kill()
  await reader.ready()
  await expectAllCounted()
  expect(await cuts()).toEqual({ aggregate: 0, archive: 0 })
})

test('what retention deletes before it was read is counted as cut, and reading goes on', async () => {
  reader.signal('SIGSTOP')
  await load.send(2000)
  await deleteRecords()
  reader.signal('SIGCONT')
  // Until the archive has passed over the gap events may be refused: the log has lost what was not archived.
  await untilTaken()
  await until(load.sent, async () => (await load.history()) + (await cuts()).archive, SEEN_MS)
  const cut = await cuts()
  // What a fetch had brought before is counted by both; a batch of the two may be.
  expect(cut.archive).toBeGreaterThanOrEqual(1000)
  expect(cut.aggregate).toBeGreaterThanOrEqual(1000)
  expect(reader.stderr()).toContain('events were gone from the log before they were archived')
  await untilTaken()
  await until(load.sent, async () => (await load.history()) + (await cuts()).archive, SEEN_MS)
  expect(await load.audit()).toContain('clean')
  expect(cluster.processes.flatMap(({ ownEnds }) => ownEnds)).toEqual([])
})
