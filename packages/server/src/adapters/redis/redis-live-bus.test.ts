import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  isRedisSkipped,
  startRedis,
  startRedisCluster,
  type TestRedis,
  type TestRedisCluster,
} from '../../../../../test/servers/start-redis.ts'
import { startTcpProxy } from '../../../../../test/servers/tcp-proxy.ts'
import { liveBusConformance } from '../../ports/live-bus.conformance.ts'
import { createRedisLiveBus } from './redis-live-bus.ts'

const WAIT = { timeout: 30_000 }

describe.skipIf(isRedisSkipped)('one Redis', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis?.remove())

  liveBusConformance('the bus in Redis', async () => ({
    buses: [createRedisLiveBus({ url: redis.url }), createRedisLiveBus({ url: redis.url })],
    cleanUp: async () => {},
  }))

  test('while Redis is away that is a problem which says what to do; afterwards messages arrive again', async () => {
    const bus = createRedisLiveBus({ url: redis.url })
    try {
      await bus.start()
      const touched = vi.fn()
      bus.onTouched(touched)
      await vi.waitFor(() => expect(bus.problem).toBeUndefined(), WAIT)
      await redis.kill()
      await vi.waitFor(() => expect(bus.problem).toMatch(/check that it runs/), WAIT)
      bus.publish()
      await redis.start()
      await vi.waitFor(() => expect(bus.problem).toBeUndefined(), WAIT)
      touched.mockClear()
      await vi.waitFor(() => {
        bus.publish()
        expect(touched).toHaveBeenCalled()
      }, WAIT)
    } finally {
      await bus.stop()
    }
  })

  test('a connection that neither speaks nor ends is noticed, and made anew', async () => {
    const way = await startTcpProxy(redis)
    const bus = createRedisLiveBus({ url: `redis://${way.address}`, silentMs: 900 })
    const other = createRedisLiveBus({ url: redis.url })
    try {
      await Promise.all([bus.start(), other.start()])
      const touched = vi.fn()
      bus.onTouched(touched)
      await vi.waitFor(() => expect(bus.problem).toBeUndefined(), WAIT)
      way.mode('swallow-answers')
      way.refuse(true)
      await vi.waitFor(() => expect(bus.problem).toMatch(/listening for changes/), WAIT)
      way.mode('pass')
      way.refuse(false)
      await vi.waitFor(() => expect(bus.problem).toBeUndefined(), WAIT)
      touched.mockClear()
      await vi.waitFor(() => {
        other.publish()
        expect(touched).toHaveBeenCalled()
      }, WAIT)
    } finally {
      await Promise.all([bus.stop(), other.stop()])
      await way.stop()
    }
  })

  test('without Redis the start ends, and the bus finds it when it comes', async () => {
    await redis.kill()
    const bus = createRedisLiveBus({ url: redis.url, connectMs: 100 })
    try {
      await bus.start()
      expect(bus.problem).toMatch(/Redis failed/)
      await redis.start()
      await vi.waitFor(() => expect(bus.problem).toBeUndefined(), WAIT)
    } finally {
      await bus.stop()
    }
  })
})

describe.skipIf(isRedisSkipped)('a cluster of three', () => {
  let cluster: TestRedisCluster
  beforeAll(async () => {
    cluster = await startRedisCluster()
  })
  afterAll(() => cluster?.remove())

  liveBusConformance('the bus in Redis Cluster', async () => ({
    buses: [createRedisLiveBus({ url: cluster.url }), createRedisLiveBus({ url: cluster.url })],
    cleanUp: async () => {},
  }))
})
