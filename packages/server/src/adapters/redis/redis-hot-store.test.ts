import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  isRedisSkipped,
  startRedis,
  startRedisCluster,
  type TestRedis,
  type TestRedisCluster,
} from '../../../../../test/servers/start-redis.ts'
import { hotStoreConformance } from '../../ports/hot-store.conformance.ts'
import type { CellContent } from '../../window/minute-content.ts'
import { CLUSTER_GROUPS, groupKeys } from './hot-keys.ts'
import { createRedisHotStore } from './redis-hot-store.ts'

const clock = { now: () => Date.now() }
const CONTENT: CellContent = {
  cell: {
    ...{ project: 'p', name: 'click', country: 'DE', device: 'mobile', category: '(none)' },
    ...{ hot1: '', hot2: '', unconverted: '' },
  },
  ...{ events: 1, revenue: 0n, refunds: 0, refundRevenue: 0n, users: undefined, sessions: undefined },
}

describe.skipIf(isRedisSkipped)('one Redis', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis?.remove())

  hotStoreConformance('the hot store in Redis', async () => ({
    store: createRedisHotStore(clock, { url: redis.url, partitions: 2 }),
    now: clock.now,
    cleanUp: async () => {
      await redis.command('FLUSHALL')
    },
  }))

  test('stores with keys of their own in one Redis know nothing of each other', async () => {
    const options = { url: redis.url, partitions: 1 }
    const [own, flink] = [
      createRedisHotStore(clock, options),
      createRedisHotStore(clock, { ...options, keyPrefix: 'nowcast:flink:' }),
    ]
    await Promise.all([own.start(), flink.start()])
    const beginning = { epoch: 1, partition: 0, completeFrom: 0, target: 0 }
    await own.begin({ ...beginning, offset: 5 })
    expect(await flink.fence(1, 0)).toBeUndefined()
    await flink.begin({ ...beginning, offset: 7 })
    const minutes = [{ project: 'p', minute: Math.floor(Date.now() / 60_000) * 60_000, cells: [CONTENT] }]
    expect(await flink.set({ epoch: 1, partition: 0, from: 7, to: 8, minutes, seconds: [] })).toEqual({ applied: true })
    expect([(await own.fence(1, 0))?.offset, (await flink.fence(1, 0))?.offset]).toEqual([5, 8])
    expect([(await own.view()).projects.size, (await flink.view()).projects.size]).toEqual([0, 1])
    // What an ACL allows begins so.
    const keys = (await redis.command('KEYS', '*')).split(/\s+/).filter((key) => key !== '')
    expect(keys.filter((key) => !key.startsWith('nowcast:'))).toEqual([])
    await Promise.all([own.stop(), flink.stop()])
    await redis.command('FLUSHALL')
  })
})

describe.skipIf(isRedisSkipped)('a cluster of three', () => {
  let cluster: TestRedisCluster
  beforeAll(async () => {
    cluster = await startRedisCluster()
  })
  afterAll(() => cluster?.remove())

  test('slot groups lie in different sixteenths of the slots', async () => {
    const [node] = cluster.nodes as [TestRedis]
    const sixteenths = new Set<number>()
    for (let group = 0; group < CLUSTER_GROUPS; group++) {
      sixteenths.add(Math.floor(Number(await node.command('CLUSTER', 'KEYSLOT', groupKeys(group).fence)) / 1024))
    }
    expect(sixteenths.size).toBe(16)
  })

  hotStoreConformance('the hot store in Redis Cluster', async () => ({
    store: createRedisHotStore(clock, { url: cluster.url, partitions: 2 }),
    now: clock.now,
    cleanUp: async () => {
      for (const node of cluster.nodes) await node.command('FLUSHALL')
    },
  }))
})
