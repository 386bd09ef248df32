import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../servers/until.ts'
import type { ClusterProcess, Ways } from './harness/cluster-process.ts'
import { type CountedLoad, createCountedLoad } from './harness/counted-load.ts'
import { type Cluster, startCluster } from './harness/start-cluster.ts'

const HOLD_MS = 2500
const REFUSAL_MS = 30_000
const MOST_TRIES = 10
const MORE_EVENTS = 10_000
/** Insert and flush, as they stand in a request. */
const INSERT = /INSERT[+%20 ]+INTO/
const FLUSH = /EVALSHA/i

let cluster: Cluster
let load: CountedLoad
beforeAll(async () => {
  const processes = [['ingest', 'query'], ['aggregate'], ['aggregate'], ['archive'], ['archive']] as const
  cluster = await startCluster({ processes })
  load = createCountedLoad(cluster)
  await load.send(500)
  expect(await load.untilCounted()).toEqual([])
})
afterAll(() => cluster?.remove())

const pairOf = (role: 'aggregate' | 'archive') => cluster.withRole(role) as [ClusterProcess, ClusterProcess]

/** Cuts the way of a process so that one of its writes is on it, and nothing else. */
async function holdWrite(process: ClusterProcess, way: keyof Ways, write: RegExp): Promise<void> {
  for (let tries = 1; ; tries++) {
    expect(await load.untilCounted()).toEqual([])
    process.ways[way].mode('hold')
    await load.send(200)
    const isHeld = until(true, () => write.test(process.ways[way].held()), HOLD_MS).then(
      () => true,
      () => false,
    )
    if (await isHeld) return
    // It was about to ask something else, such as the time.
    process.ways[way].mode('pass')
    if (tries === MOST_TRIES) throw new Error(`${process.name} writes nothing`)
  }
}

/** Inserts that ClickHouse has refused for their lease (469 VIOLATED_CONSTRAINT). */
const refusals = async () =>
  Number(await cluster.clickhouse.run('SELECT sum(value) FROM system.errors WHERE code = 469'))

/** An archiver stops with an insert on its way, another takes over, and then the insert arrives. */
async function stopWithInsertOnItsWay(archiver: ClusterProcess): Promise<void> {
  await holdWrite(archiver, 'clickhouse', INSERT)
  archiver.signal('SIGSTOP')
  await load.send(MORE_EVENTS)
  await load.untilHistory(load.sent)
}

async function expectEverythingOnce(): Promise<void> {
  await load.send(500)
  expect(await load.untilCounted()).toEqual([])
  expect(await load.audit()).toContain('clean')
  expect(cluster.processes.flatMap(({ ownEnds }) => ownEnds)).toEqual([])
}

test('an archiver and an aggregator stopped in the middle of a write, which arrives 10,000 events later, count nothing twice', async () => {
  const [aggregator] = pairOf('aggregate')
  const [archiver] = pairOf('archive')
  const refused = await refusals()
  await holdWrite(aggregator, 'redis', FLUSH)
  aggregator.signal('SIGSTOP')
  await stopWithInsertOnItsWay(archiver)
  expect(await load.untilCounted()).toEqual([])
  aggregator.ways.redis.mode('pass')
  archiver.ways.clickhouse.mode('pass')
  await until(true, async () => (await refusals()) > refused, REFUSAL_MS)
  for (const process of [aggregator, archiver]) process.signal('SIGCONT')
  await expectEverythingOnce()
})

test('stopped before they write, they write nothing when they go on', async () => {
  const [aggregator] = pairOf('aggregate')
  const [archiver] = pairOf('archive')
  await load.send(200)
  // Within the second that an archiver gathers rows for.
  for (const process of [aggregator, archiver]) process.signal('SIGSTOP')
  await load.send(MORE_EVENTS)
  expect(await load.untilCounted()).toEqual([])
  for (const process of [aggregator, archiver]) process.signal('SIGCONT')
  await expectEverythingOnce()
})

test('an insert that is delayed by 10 s while a second archiver joins counts nothing twice', async () => {
  const [first, second] = pairOf('archive')
  await second.leave()
  const refused = await refusals()
  await holdWrite(first, 'clickhouse', INSERT)
  const heldSince = performance.now()
  second.join()
  await second.ready()
  await until(true, () => performance.now() - heldSince > 10_000)
  first.ways.clickhouse.mode('pass')
  await until(true, async () => (await refusals()) > refused, REFUSAL_MS)
  await expectEverythingOnce()
})

test('without the lease the late insert is counted twice, and the audit sees it', async () => {
  await cluster.clickhouse.run('ALTER TABLE nowcast.events DROP CONSTRAINT lease')
  const [archiver] = pairOf('archive')
  await stopWithInsertOnItsWay(archiver)
  archiver.ways.clickhouse.mode('pass')
  await until(true, async () => (await load.history()) > load.sent, REFUSAL_MS)
  expect(await load.audit()).toContain('twice')
})
