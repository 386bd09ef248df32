import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  isRedisSkipped,
  startRedis,
  startRedisCluster,
  type TestRedis,
} from '../../../../../test/servers/start-redis.ts'
import { contentsOf, secondsOf } from '../../../test/hot-store/contents-of.ts'
import {
  EPOCH,
  flushOf,
  type GeneratedEvent,
  generatedLog,
  randomNumbers,
} from '../../../test/hot-store/generated-log.ts'
import type { HotStore } from '../../ports/hot-store.ts'
import { createMemoryHotStore } from '../memory/memory-hot-store.ts'
import { createRedisHotStore } from './redis-hot-store.ts'

const clock = { now: () => Date.now() }
const PARTITIONS = 2

/** Flushes a partition to its end from where the fence stands, as an aggregator does, through every failure. */
async function aggregate(store: HotStore, log: readonly GeneratedEvent[], partition: number, random: () => number) {
  for (;;) {
    try {
      const fence = await store.fence(EPOCH, partition)
      if (fence === undefined) {
        await store.begin({ epoch: EPOCH, partition, offset: 0, completeFrom: 0, target: log.length })
        continue
      }
      let at = fence.offset
      if (at === log.length) return
      while (at < log.length) {
        const stop = fence.cuts.find((cut) => cut > at) ?? log.length
        const to = Math.min(stop, at + 1 + Math.floor(random() * 200))
        const answer = await store.flush(flushOf(log, partition, at, to))
        if (!answer.applied && answer.fence !== to) break
        at = to
      }
    } catch {
      await sleep(20)
    }
  }
}

async function memoryOf(logs: readonly GeneratedEvent[][]) {
  const store = createMemoryHotStore(clock, { partitions: PARTITIONS })
  for (const [partition, log] of logs.entries()) {
    await store.begin({ epoch: EPOCH, partition, offset: 0, completeFrom: 0, target: log.length })
    await store.flush(flushOf(log, partition, 0, log.length))
  }
  return store.view()
}

describe.skipIf(isRedisSkipped)('Redis counts the same as memory', () => {
  const stores: HotStore[] = []
  let nodes: TestRedis[] = []
  let url = ''
  let seed = 0
  let random: () => number
  beforeEach(() => {
    seed = Math.floor(Math.random() * 2 ** 31)
    random = randomNumbers(seed)
  })
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.stop()))
    await Promise.all(nodes.splice(0).map((node) => node.remove()))
  })

  async function useOne(settings: Record<string, string> = {}): Promise<void> {
    const redis = await startRedis({ settings })
    nodes = [redis]
    url = redis.url
  }

  async function useCluster(): Promise<void> {
    const cluster = await startRedisCluster({ 'cluster-require-full-coverage': 'no' })
    nodes = cluster.nodes
    url = cluster.url
  }

  async function open(): Promise<HotStore> {
    const store = createRedisHotStore(clock, { url, partitions: PARTITIONS })
    await store.start()
    stores.push(store)
    return store
  }

  const logs = (count: number) => Array.from({ length: PARTITIONS }, () => generatedLog(count, clock.now(), random))

  async function expectSame(store: HotStore, all: readonly GeneratedEvent[][]): Promise<void> {
    const expected = contentsOf(await memoryOf(all))
    const view = await store.view()
    expect(contentsOf(view), `seed ${seed}`).toEqual(expected)
    expect(expected.size).toBeGreaterThan(100)
    expect(Number.isFinite(view.completeSince)).toBe(true)
  }

  /** Two aggregators, both holding every partition, while `harm` goes on. */
  async function aggregateUnderHarm(all: readonly GeneratedEvent[][], harm: () => Promise<void>): Promise<HotStore> {
    const [first, second] = [await open(), await open()]
    let isDone = false
    const harming = (async () => {
      while (!isDone) {
        await sleep(random() * 150)
        if (!isDone) await harm()
      }
    })()
    const runs = [first, second].flatMap((store) =>
      all.map((log, partition) => aggregate(store, log, partition, random)),
    )
    await Promise.all(runs)
    isDone = true
    await harming
    // What the last harm has taken back.
    await Promise.all(all.map((log, partition) => aggregate(first, log, partition, random)))
    return first
  }

  test('to the unit, the last decimal, the register and the second, in one Redis', async () => {
    await useOne()
    const all = logs(3000)
    const store = await open()
    for (const [partition, log] of all.entries()) await aggregate(store, log, partition, random)
    await expectSame(store, all)
    const view = await store.view()
    const recent = [...secondsOf(view).values()].reduce((sum, events) => sum + events, 0)
    expect(recent).toBe(all.flat().length)
  })

  test('and in a cluster', async () => {
    await useCluster()
    const all = logs(3000)
    const store = await open()
    for (const [partition, log] of all.entries()) await aggregate(store, log, partition, random)
    await expectSame(store, all)
  })

  test('when Redis is killed again and again and comes back without its last writes', async () => {
    await useOne()
    const [redis] = nodes as [TestRedis]
    const all = logs(20_000)
    const reader = await open()
    const store = await aggregateUnderHarm(all, async () => {
      await redis.command('SAVE')
      await sleep(random() * 100)
      await redis.kill()
      await redis.start()
      // A reader that has seen what is lost now.
      await reader.view().catch(() => {})
    })
    await expectSame(store, all)
    await expectSame(reader, all)
  })

  test('when Redis is emptied again and again', async () => {
    await useOne()
    const [redis] = nodes as [TestRedis]
    const all = logs(10_000)
    const reader = await open()
    const store = await aggregateUnderHarm(all, async () => {
      if (random() < 0.3) await redis.command('FLUSHALL')
      await reader.view()
    })
    await expectSame(store, all)
    await expectSame(reader, all)
  })

  test('and a process with little memory leaves the oldest minutes to the archive', async () => {
    await useOne()
    const all = logs(3000)
    const store = await open()
    for (const [partition, log] of all.entries()) await aggregate(store, log, partition, random)
    const small = createRedisHotStore(clock, { url, partitions: PARTITIONS, maxBytes: 100_000 })
    stores.push(small)
    await small.start()
    const [whole, part] = [await store.view(), await small.view()]
    expect(part.completeSince).toBeGreaterThan(whole.completeSince)
    expect(Number.isFinite(part.completeSince)).toBe(true)
    const isComplete = ([cell]: [string, string]) => Date.parse(cell.split(' ')[1] as string) >= part.completeSince
    const expected = [...contentsOf(whole)].filter(isComplete).sort()
    expect([...contentsOf(part)].filter(isComplete).sort()).toEqual(expected)
    expect(expected.length).toBeGreaterThan(10)
    expect(contentsOf(part).size).toBeLessThan(contentsOf(whole).size)
  })

  test('and what Redis has lost is shown no longer, also when nobody adds it again', async () => {
    await useOne()
    const [redis] = nodes as [TestRedis]
    const all = logs(500)
    const store = await open()
    for (const [partition, log] of all.entries()) await aggregate(store, log.slice(0, 300), partition, random)
    const before = contentsOf(await store.view())
    await redis.command('SAVE')
    for (const [partition, log] of all.entries()) await aggregate(store, log, partition, random)
    expect(contentsOf(await store.view())).not.toEqual(before)
    await redis.kill()
    await redis.start()
    await expect.poll(async () => contentsOf(await store.view()), { timeout: 20_000 }).toEqual(before)
    await redis.command('FLUSHALL')
    const view = await store.view()
    expect(view.completeSince).toBe(Number.POSITIVE_INFINITY)
    expect(contentsOf(view)).toEqual(new Map())
  })

  test('when nodes of a cluster are killed one by one and lose different writes', async () => {
    await useCluster()
    const all = logs(600)
    const reader = await open()
    const store = await aggregateUnderHarm(all, async () => {
      const node = nodes[Math.floor(random() * nodes.length)] as TestRedis
      await node.command('SAVE')
      await sleep(random() * 100)
      await node.kill()
      await node.start()
      await reader.view().catch(() => {})
    })
    await expectSame(store, all)
    await expectSame(reader, all)
    // A node that comes back is taken in by the others in their own time.
  }, 180_000)
})
