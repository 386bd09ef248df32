import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isRedisSkipped, startRedis, type TestRedis } from '../../../../../test/servers/start-redis.ts'
import { contentsOf } from '../../../test/hot-store/contents-of.ts'
import {
  EPOCH,
  flushOf,
  type GeneratedEvent,
  generatedLog,
  randomNumbers,
} from '../../../test/hot-store/generated-log.ts'
import type { HotStore } from '../../ports/hot-store.ts'
import { createRedisHotStore } from './redis-hot-store.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const clock = { now: () => Date.now() }

describe.skipIf(isRedisSkipped)('late and future events', () => {
  let redis: TestRedis
  let store: HotStore
  let flushed: number
  beforeEach(async () => {
    redis = await startRedis()
    store = createRedisHotStore(clock, { url: redis.url, partitions: 1 })
    await store.start()
    await store.begin({ epoch: EPOCH, partition: 0, offset: 0, completeFrom: 0, target: 0 })
    flushed = 0
  })
  afterEach(async () => {
    await store.stop()
    await redis.remove()
  })

  /** Flushes one event of the minute that began so long ago. */
  async function flushAged(ageMs: number): Promise<number> {
    const [event] = generatedLog(1, clock.now(), randomNumbers(1)) as [GeneratedEvent]
    const at = clock.now() - ageMs
    const minute = at - (at % MINUTE_MS)
    const log = [{ ...event, minute, session: [1, 2] as [number, number], revenue: 5 }]
    const flush = { ...flushOf(log, 0, 0, 1), from: flushed, to: flushed + 1 }
    expect(await store.flush(flush)).toEqual({ applied: true })
    flushed++
    return minute
  }

  const keysOf = async (minute: number) =>
    (await redis.command('KEYS', `*:${minute / MINUTE_MS}*`)).split('\n').filter((key) => key !== '')

  test.each([
    ['23 h 59 min ago', 24 * HOUR_MS - MINUTE_MS],
    ['24 h 1 min ago', 24 * HOUR_MS + MINUTE_MS],
    ['4 min ahead', -4 * MINUTE_MS],
  ])('%s: in its minute, and gone 25 hours after its end', async (_name, ageMs) => {
    const minute = await flushAged(ageMs)
    const keys = await keysOf(minute)
    expect(keys.map((key) => key.split(':')[3]).sort()).toEqual(['minute', 'sessions', 'users'])
    for (const key of keys) {
      expect(Number(await redis.command('EXPIRETIME', key))).toBe((minute + MINUTE_MS + 25 * HOUR_MS) / 1000)
    }
    // Another late event makes it live no longer.
    expect(await flushAged(clock.now() - minute)).toBe(minute)
    for (const key of keys) {
      expect(Number(await redis.command('EXPIRETIME', key))).toBe((minute + MINUTE_MS + 25 * HOUR_MS) / 1000)
    }
    const [cell] = [...contentsOf(await store.view())]
    expect(cell?.[0]).toContain(new Date(minute).toISOString())
    expect(cell?.[1]).toMatch(/^2 events, 10, /)
  })

  test.each([
    ['two years ago', 2 * 365 * 24 * HOUR_MS],
    ['23 h 59 min before it was received, which was two hours ago', 26 * HOUR_MS - MINUTE_MS],
  ])('%s: an expired minute is not revived, and the fence moves on', async (_name, ageMs) => {
    const minute = await flushAged(ageMs)
    expect(await keysOf(minute)).toEqual([])
    expect(contentsOf(await store.view())).toEqual(new Map())
    expect(await store.fence(EPOCH, 0)).toEqual({ offset: 1, cuts: [] })
  })

  test('nothing is left for ever but what the partitions need', async () => {
    await flushAged(0)
    const keys = (await redis.command('KEYS', '*')).split('\n')
    const lasting = []
    for (const key of keys) if ((await redis.command('TTL', key)) === '-1') lasting.push(key)
    expect(lasting.sort()).toEqual(
      ['begun', 'fence', 'touched', 'touched-seconds'].map((name) => `nowcast:{0}:${name}`),
    )
  })
})
