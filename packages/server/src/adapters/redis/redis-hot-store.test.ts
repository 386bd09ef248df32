import { afterAll, beforeAll, describe } from 'vitest'
import {
  isRedisSkipped,
  startRedis,
  startRedisCluster,
  type TestRedis,
  type TestRedisCluster,
} from '../../../../../test/servers/start-redis.ts'
import { hotStoreConformance } from '../../ports/hot-store.conformance.ts'
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

  hotStoreConformance('the hot store in Redis Cluster', async () => ({
    store: createRedisHotStore(clock, { url: cluster.url, partitions: 2 }),
    now: clock.now,
    cleanUp: async () => {
      for (const node of cluster.nodes) await node.command('FLUSHALL')
    },
  }))
})
