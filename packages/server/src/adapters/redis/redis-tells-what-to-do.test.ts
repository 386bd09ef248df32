import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isRedisSkipped, startRedis, type TestRedis } from '../../../../../test/servers/start-redis.ts'
import { contentsOf } from '../../../test/hot-store/contents-of.ts'
import { EPOCH, flushOf, generatedLog, randomNumbers } from '../../../test/hot-store/generated-log.ts'
import type { HotStore } from '../../ports/hot-store.ts'
import type { CellDelta, MinuteDelta } from '../../window/minute-delta.ts'
import { checkRedis } from './check-redis.ts'
import { cellName, groupKeys, minuteKey, sketchKey } from './hot-keys.ts'
import { createRedisHotStore } from './redis-hot-store.ts'

const clock = { now: () => Date.now() }
const WAIT = { timeout: 30_000, interval: 100 }

describe.skipIf(isRedisSkipped)('a Redis that cannot be used says what to do, and nothing is lost', () => {
  let redis: TestRedis
  const stores: HotStore[] = []
  const log = generatedLog(200, clock.now(), randomNumbers(1))
  beforeEach(async () => {
    redis = await startRedis()
  })
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.stop()))
    await redis.remove()
  })

  function storeAt(url: string, connectMs = 5000): HotStore {
    const store = createRedisHotStore(clock, { url, partitions: 1, connectMs })
    stores.push(store)
    return store
  }

  async function begun(): Promise<HotStore> {
    const store = storeAt(redis.url)
    await store.start()
    await store.begin({ epoch: EPOCH, partition: 0, offset: 0, completeFrom: 0, target: 100 })
    expect(await store.flush(flushOf(log, 0, 0, 100))).toEqual({ applied: true })
    return store
  }

  /** The store refuses, then is mended: all is counted once. */
  async function refusesUntil(store: HotStore, message: RegExp, mend: () => Promise<unknown>): Promise<void> {
    const before = contentsOf(await store.view())
    await expect(store.flush(flushOf(log, 0, 100, 200))).rejects.toMatchObject({
      code: 'hot_store_unavailable',
      message,
    })
    expect(store.problem).toMatch(message)
    await mend()
    await expect.poll(async () => contentsOf(await store.view()), WAIT).toEqual(before)
    expect(await store.flush(flushOf(log, 0, 100, 200))).toEqual({ applied: true })
    expect(store.problem).toBeUndefined()
    await redis.command('FLUSHALL')
    const again = await begunAgain()
    expect(contentsOf(await store.view())).toEqual(contentsOf(await again.view()))
  }

  async function begunAgain(): Promise<HotStore> {
    const again = await begun()
    await again.flush(flushOf(log, 0, 100, 200))
    return again
  }

  test('one that drops keys when it is full', async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
    await expect(storeAt(redis.url).start()).rejects.toThrow(/CONFIG SET maxmemory-policy noeviction/)
    expect(await checkRedis({ url: redis.url })).toContainEqual(
      expect.objectContaining({ ok: false, message: expect.stringMatching(/maxmemory-policy allkeys-lru/) }),
    )
  })

  test('one that is full', async () => {
    const store = await begun()
    await redis.command('CONFIG', 'SET', 'maxmemory', '1mb')
    expect(await checkRedis({ url: redis.url })).toContainEqual(
      expect.objectContaining({ ok: false, message: expect.stringMatching(/raise maxmemory/) }),
    )
    await refusesUntil(store, /raise maxmemory/, () => redis.command('CONFIG', 'SET', 'maxmemory', '0'))
  })

  test('a replica', async () => {
    const store = await begun()
    await redis.command('REPLICAOF', '127.0.0.1', '1')
    await redis.command('CONFIG', 'SET', 'replica-serve-stale-data', 'yes')
    expect(await checkRedis({ url: redis.url })).toContainEqual(
      expect.objectContaining({ ok: false, message: expect.stringMatching(/address of the master/) }),
    )
    await refusesUntil(store, /address of the master/, () => redis.command('REPLICAOF', 'NO', 'ONE'))
  })

  test.each(['fence', 'begun', 'touched', 'touchedSeconds'] as const)('one with another program’s %s', async (name) => {
    const store = await begun()
    const key = groupKeys(0)[name]
    await redis.command('RENAME', key, 'aside')
    await redis.command('SET', key, 'theirs')
    await expect(store.flush(flushOf(log, 0, 100, 200))).rejects.toThrow(/a database or a server of its own/)
    await redis.command('RENAME', 'aside', key)
    expect(await store.flush(flushOf(log, 0, 100, 200))).toEqual({ applied: true })
  })

  test('one with another program’s minute or sketch: nothing of the flush is counted', async () => {
    const store = await begun()
    const recent = flushOf(log, 0, 100, 200).minutes.find(({ minute }) => Math.abs(minute - clock.now()) < 3_600_000)
    const { project, minute, cells } = recent as MinuteDelta
    const name = cellName((cells[0] as CellDelta).cell)
    const before = contentsOf(await store.view())
    for (const key of [minuteKey(0, project, minute), sketchKey(0, project, minute, 'users', name)]) {
      const isThere = (await redis.command('EXISTS', key)) === '1'
      if (isThere) await redis.command('RENAME', key, 'aside')
      await redis.command('SET', key, 'theirs')
      await expect(store.flush(flushOf(log, 0, 100, 200))).rejects.toThrow(/a database or a server of its own/)
      await redis.command('DEL', key)
      if (isThere) await redis.command('RENAME', 'aside', key)
    }
    const countsOf = (contents: Map<string, string>) => [...contents].map(([cell, text]) => [cell, text.split(', ', 4)])
    const reader = storeAt(redis.url)
    await reader.start()
    expect(countsOf(contentsOf(await reader.view()))).toEqual(countsOf(before))
    expect(await store.flush(flushOf(log, 0, 100, 200))).toEqual({ applied: true })
  })

  test('one that wants a password, or another', async () => {
    await redis.command('ACL', 'SETUSER', 'nowcast', 'on', '>right', '~nowcast:*', '&nowcast:*', ...RIGHTS)
    await redis.command('CONFIG', 'SET', 'requirepass', 'secret')
    await expect(storeAt(redis.url).start()).rejects.toThrow(/check user and password in --redis/)
    const host = `127.0.0.1:${redis.port}`
    await expect(storeAt(`redis://nowcast:wrong@${host}`).start()).rejects.toThrow(/user or password are wrong/)
    await storeAt(`redis://:secret@${host}`).start()
    // The rights that the message about missing ones names are enough.
    const store = storeAt(`redis://nowcast:right@${host}`)
    await store.start()
    await store.begin({ epoch: EPOCH, partition: 0, offset: 0, completeFrom: 0, target: 0 })
    expect(await store.flush(flushOf(log, 0, 0, 100))).toEqual({ applied: true })
    expect((await store.view()).projects.size).toBe(2)
    const checks = await checkRedis({ url: `redis://nowcast:right@${host}` })
    expect(checks.filter(({ ok }) => !ok)).toEqual([])
  })

  test('one that is not there', async () => {
    await redis.kill()
    await expect(storeAt(redis.url, 300).start()).rejects.toThrow(/ECONNREFUSED/)
    await expect(storeAt(redis.url, 300).start()).rejects.toThrow(/check that it runs, and --redis/)
    const [check] = await checkRedis({ url: redis.url, connectMs: 300 })
    expect(check).toMatchObject({ ok: false, message: expect.stringMatching(/check that it runs/) })
  })

  test('one that goes away: the archive answers meanwhile', async () => {
    const store = await begun()
    await store.view()
    await redis.kill()
    await expect(store.flush(flushOf(log, 0, 100, 200))).rejects.toMatchObject({ retryable: true })
    await expect.poll(() => store.problem, WAIT).toMatch(/check that it runs/)
    await expect(store.view()).rejects.toThrow(/check that it runs/)
    await expect
      .poll(async () => (await store.view({ maxAgeMs: 200 })).completeSince, WAIT)
      .toBe(Number.POSITIVE_INFINITY)
    await redis.start()
    await expect.poll(() => store.problem, WAIT).toBeUndefined()
    // It came back empty, and says so.
    expect(await store.fence(EPOCH, 0)).toBeUndefined()
  })

  test('one that hangs is given up; what it then does late is not done twice', async () => {
    const store = await begun()
    redis.pause()
    await expect(store.flush(flushOf(log, 0, 100, 200))).rejects.toMatchObject({ retryable: true })
    redis.resume()
    await expect.poll(() => store.fence(EPOCH, 0).catch(() => 'away'), WAIT).not.toBe('away')
    const answer = await store.flush(flushOf(log, 0, 100, 200))
    expect([{ applied: true }, { applied: false, fence: 200 }]).toContainEqual(answer)
    const found = contentsOf(await store.view())
    await redis.command('FLUSHALL')
    expect(found).toEqual(contentsOf(await (await begunAgain()).view()))
  })

  test('and a good one is found good', async () => {
    const checks = await checkRedis({ url: redis.url })
    expect(checks.map(({ what, ok }) => [what.replace(/ \(.*/, ''), ok])).toEqual([
      ['Redis connection', true],
      ['Redis version', true],
      ['Redis role', true],
      ['Redis eviction', true],
      ['Redis memory', true],
      ['Redis persistence', true],
      ['Redis clock', true],
    ])
  })
})

const RIGHTS = [
  '+@read',
  '+@write',
  '+@scripting',
  '+@connection',
  '+@pubsub',
  '+info',
  '+time',
  '+cluster|slots',
  '+cluster|info',
]
