import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  isRedisSkipped,
  startRedis,
  startRedisCluster,
  type TestRedis,
  type TestRedisCluster,
} from '../../../../../test/servers/start-redis.ts'
import { hotStoreConformance } from '../../ports/hot-store.conformance.ts'
import { CLUSTER_GROUPS, groupKeys } from './hot-keys.ts'
import { createRedisHotStore } from './redis-hot-store.ts'

const clock = { now: () => Date.now() }

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
