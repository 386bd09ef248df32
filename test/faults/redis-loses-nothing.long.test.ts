import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { clickHouseFixture } from '../../packages/server/src/adapters/clickhouse/clickhouse.conformance.ts'
import { createRedisHotStore } from '../../packages/server/src/adapters/redis/redis-hot-store.ts'
import type { HotStore } from '../../packages/server/src/ports/hot-store.ts'
import { createQuery } from '../../packages/server/src/query/query.ts'
import { isRedisSkipped, startRedis, startRedisCluster, type TestRedis } from '../servers/start-redis.ts'
import { startRedisSentinel } from '../servers/start-redis-sentinel.ts'
import { startTcpProxy, type TcpProxy } from '../servers/tcp-proxy.ts'
import { until } from '../servers/until.ts'
import { generateTraffic, type KnownBatch } from './harness/generated-traffic.ts'
import { seededRandom } from './harness/seeded-random.ts'
import {
  faultsProject,
  type PartsOptions,
  type ServerParts,
  startParts,
  sumOf,
  wrongFigures,
} from './harness/server-parts.ts'

const PARTITIONS = 2
const HOUR_MS = 3_600_000
/** What a store that lost its last writes may take to hold them again. */
const MEND_MS = 30_000
const clock = { now: () => Date.now() }

const fixture = clickHouseFixture()
const closings: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close()
})
afterAll(() => fixture.cleanUp())

/** Batches of the last day. */
function recentBatches(count: number, seed: number): KnownBatch[] {
  const nextBatch = generateTraffic({ random: seededRandom(seed), name: `seed-${seed}`, startedAt: Date.now() })
  const batches: KnownBatch[] = []
  while (batches.length < count) {
    const batch = nextBatch()
    if (batch.events.every(({ timestamp }) => timestamp > Date.now() - 23 * HOUR_MS)) batches.push(batch)
  }
  return batches
}

async function openStore(url: string): Promise<HotStore> {
  const store = createRedisHotStore(clock, { url, partitions: PARTITIONS })
  await store.start()
  return store
}

async function startOn(
  url: string,
  options: Partial<PartsOptions> = {},
): Promise<ServerParts & { store: HotStore; query: Ask }> {
  const store = await openStore(url)
  const eventStore = await fixture.store(await fixture.folder())
  const parts = await startParts({
    ...{ path: await fixture.folder(), eventStore },
    ...options,
    wrap: { hotStore: () => store },
  })
  closings.push(() => parts.stop())
  await parts.consume()
  const stage = createQuery({ hotStore: store, eventStore, clock })
  const query: Ask = async (metric) => {
    const range = { from: Date.now() - 24 * HOUR_MS, to: Date.now() + HOUR_MS }
    const answer = await stage.answer(
      { kind: 'total', metric, range },
      { project: faultsProject, filters: {}, metrics: undefined },
    )
    return (answer as { v: number }).v
  }
  return { ...parts, store, query }
}

type Ask = (metric: string) => Promise<number>

async function redisWith(settings: Record<string, string> = {}): Promise<TestRedis> {
  const redis = await startRedis({ settings })
  closings.push(() => redis.remove())
  return redis
}

async function proxyTo(redis: TestRedis): Promise<TcpProxy> {
  const proxy = await startTcpProxy({ port: redis.port })
  closings.push(() => proxy.stop())
  return proxy
}

describe.skipIf(isRedisSkipped)('Redis loses nothing that live figures need', () => {
  test('killed with snapshots only, its last writes are counted again without a new event', async () => {
    const redis = await redisWith()
    const parts = await startOn(redis.url, { aggregators: 2 })
    const batches = recentBatches(40, 1)
    for (const batch of batches.slice(0, 15)) await parts.accept(batch)
    await parts.caughtUp()
    await redis.command('SAVE')
    for (const batch of batches.slice(15)) await parts.accept(batch)
    await parts.caughtUp()
    await redis.kill()
    await redis.start()
    await until(sumOf(batches).events, async () => (await parts.live().catch(() => undefined))?.events ?? -1, MEND_MS)
    expect(await wrongFigures(parts, sumOf(batches))).toEqual([])
  })

  test('killed and empty afterwards, the archive answers for what it held', async () => {
    const redis = await redisWith()
    const parts = await startOn(redis.url)
    const batches = recentBatches(30, 2)
    for (const batch of batches) await parts.accept(batch)
    await parts.caughtUp()
    await redis.kill()
    await redis.start()
    await until(true, async () => Number.isFinite((await parts.store.view().catch(() => NONE)).completeSince), MEND_MS)
    expect((await parts.audit()).differences).toEqual([])
    expect(await parts.query('events')).toBe(sumOf(batches).events)
  })

  test('a replica that lags behind is promoted, and what it lacks is counted again', async () => {
    const sentinel = await startRedisSentinel()
    closings.push(() => sentinel.remove())
    const parts = await startOn(sentinel.url)
    const batches = recentBatches(40, 3)
    for (const batch of batches.slice(0, 15)) await parts.accept(batch)
    await parts.caughtUp()
    await sentinel.replicaHas((await sentinel.master.command('HGETALL', 'nowcast:{0}:fence')).split('\n'))
    await sentinel.holdReplication()
    for (const batch of batches.slice(15)) await parts.accept(batch)
    await parts.caughtUp()
    const fences = [sentinel.master, sentinel.replica].map((each) => each.command('HGETALL', 'nowcast:{0}:fence'))
    const [ofMaster, ofReplica] = await Promise.all(fences)
    expect(ofReplica).not.toBe(ofMaster)
    await sentinel.master.kill()
    await until(sumOf(batches).events, async () => (await parts.live().catch(() => undefined))?.events ?? -1, 90_000)
    expect(await sentinel.replica.command('ROLE')).toMatch(/^master/)
    await parts.caughtUp()
    expect(await wrongFigures(parts, sumOf(batches))).toEqual([])
  })

  test('a master that hangs is left for its successor, and what it did meanwhile is counted once', async () => {
    const sentinel = await startRedisSentinel()
    closings.push(() => sentinel.remove())
    const parts = await startOn(sentinel.url, { aggregators: 2 })
    const batches = recentBatches(40, 8)
    for (const batch of batches.slice(0, 15)) await parts.accept(batch)
    await parts.caughtUp()
    sentinel.master.pause()
    for (const batch of batches.slice(15)) await parts.accept(batch)
    await until(true, async () => (await sentinel.replica.command('ROLE')).startsWith('master'), 60_000)
    // What was sent to it before it hung is done now, and lost when it becomes the other's replica.
    sentinel.master.resume()
    await until(true, async () => (await sentinel.master.command('ROLE')).startsWith('slave'), 60_000)
    await until(sumOf(batches).events, async () => (await parts.live().catch(() => undefined))?.events ?? -1, 60_000)
    expect(await wrongFigures(parts, sumOf(batches))).toEqual([])
  })

  test('a connection cut after a flush ran, before its answer, counts it once', async () => {
    const redis = await redisWith()
    const proxy = await proxyTo(redis)
    const parts = await startOn(`redis://${proxy.address}`)
    const batches = recentBatches(40, 4)
    for (const [i, batch] of batches.entries()) {
      if (i % 8 === 3) proxy.mode('swallow-answers')
      await parts.accept(batch)
      if (i % 8 !== 3) continue
      // The flush arrives; its answer never does.
      await sleep(150)
      proxy.mode('pass')
      proxy.reset()
    }
    await parts.caughtUp()
    expect(await wrongFigures(parts, sumOf(batches))).toEqual([])
  })

  test('cut off from its aggregator for a while, it is brought up to date', async () => {
    const redis = await redisWith()
    const proxy = await proxyTo(redis)
    const parts = await startOn(`redis://${proxy.address}`)
    const batches = recentBatches(30, 5)
    proxy.refuse(true)
    proxy.reset()
    for (const batch of batches) await parts.accept(batch)
    await until(true, () => parts.store.problem !== undefined)
    proxy.refuse(false)
    await parts.caughtUp()
    expect(await wrongFigures(parts, sumOf(batches))).toEqual([])
  })

  test('emptied under load with late events, every minute is right, and nothing doubled at the seam', async () => {
    const redis = await redisWith()
    let age = 40 * 60_000
    const parts = await startOn(redis.url, { aggregators: 2, receivedAt: () => Date.now() - age })
    const batches = recentBatches(60, 6)
    for (const batch of batches.slice(0, 20)) await parts.accept(batch)
    await parts.caughtUp()
    age = 0
    for (const [i, batch] of batches.slice(20).entries()) {
      await parts.accept(batch)
      if (i % 15 === 5) await redis.command('FLUSHALL')
      // Time for the archive to be asked anew at each beginning.
      await sleep(100)
    }
    await parts.caughtUp()
    await until(true, async () => Number.isFinite((await parts.store.view()).completeSince))
    // Only what came since is read again, into minutes of which some had events that are not.
    expect((await parts.store.view()).completeSince).toBeGreaterThan(Date.now() - 30 * 60_000)
    expect((await parts.live()).events).toBeLessThan(sumOf(batches).events)
    expect((await parts.audit()).differences).toEqual([])
    expect(await parts.query('events')).toBe(sumOf(batches).events)
  })

  test('a cluster whose nodes lose different writes is mended part by part', async () => {
    const cluster = await startRedisCluster({ 'cluster-require-full-coverage': 'no' })
    closings.push(() => cluster.remove())
    const parts = await startOn(cluster.url)
    const batches = recentBatches(40, 7)
    for (const [i, batch] of batches.entries()) {
      await parts.accept(batch)
      if (i === 10) await cluster.nodes[0]?.command('SAVE')
      if (i === 20) await cluster.nodes[1]?.command('SAVE')
      await sleep(20)
    }
    await parts.caughtUp()
    for (const node of cluster.nodes.slice(0, 2)) await node.kill()
    for (const node of cluster.nodes.slice(0, 2)) await node.start()
    await until(sumOf(batches).events, async () => (await parts.live().catch(() => undefined))?.events ?? -1, 60_000)
    expect(await wrongFigures(parts, sumOf(batches))).toEqual([])
  })
})

const NONE = { completeSince: Number.POSITIVE_INFINITY }
