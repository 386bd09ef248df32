import type { SeriesAnswer } from '@nowcast/protocol'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { clickHouseFixture } from '../../packages/server/src/adapters/clickhouse/clickhouse.conformance.ts'
import { createRedisHotStore } from '../../packages/server/src/adapters/redis/redis-hot-store.ts'
import type { HotStore } from '../../packages/server/src/ports/hot-store.ts'
import { createQuery } from '../../packages/server/src/query/query.ts'
import { isRedisSkipped, startRedis, type TestRedis } from '../servers/start-redis.ts'
import { type KnownEvent, RUN } from './harness/generated-traffic.ts'
import { faultsProject, PARTITIONS, type ServerParts, startParts } from './harness/server-parts.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const LAG_MS = 2 * HOUR_MS
const KEPT_MS = 25 * HOUR_MS
const EACH = 20
/** Time of an event less the time at which it was received. */
const APART = {
  '21 h late': -21 * HOUR_MS,
  '23 h 59 late': -DAY_MS + MINUTE_MS,
  '24 h 01 late': -DAY_MS - MINUTE_MS,
  '2 years late': -2 * 365 * DAY_MS,
  '4 min early': 4 * MINUTE_MS,
}
const clock = { now: () => Date.now() }
const minuteOf = (time: number) => Math.floor(time / MINUTE_MS) * MINUTE_MS

const fixture = clickHouseFixture()
let parts: ServerParts | undefined
let redis: TestRedis | undefined
afterEach(async () => {
  await parts?.stop()
  await redis?.remove()
  parts = undefined
  redis = undefined
})
afterAll(() => fixture.cleanUp())

/**
 * Events of five times are received by a clock that is two hours behind the one of everything that reads them: which is
 * what an aggregator sees that lags by so much.
 */
async function countBehindLag(hotStore?: HotStore): Promise<void> {
  const eventStore = await fixture.store(await fixture.folder())
  const receivedAt = Date.now() - LAG_MS
  const wrap = hotStore ? { hotStore: () => hotStore } : {}
  const running = await startParts({ path: await fixture.folder(), eventStore, wrap, receivedAt: () => receivedAt })
  parts = running
  // The store was begun before: nothing is older than what it holds.
  await running.consume()
  const times = Object.entries(APART).map(([what, apart]) => ({ what, time: receivedAt + apart }))
  for (const { what, time } of times) {
    const events = Array.from(
      { length: EACH },
      (_, i): KnownEvent => ({
        ...{ id: `${what}-${i}`, name: 'click', timestamp: time, anonymousId: `a${i}`, category: 'hats' },
        properties: { run: RUN },
      }),
    )
    await running.accept({ key: 'secret', events })
  }
  await running.caughtUp()

  const query = createQuery({ hotStore: running.hotStore, eventStore, clock })
  for (const { what, time } of times) {
    const range = { from: minuteOf(time) - MINUTE_MS, to: minuteOf(time) + 2 * MINUTE_MS }
    for (const filters of [{}, { 'properties.run': [RUN] }]) {
      const asked = { kind: 'series', metric: 'events', granularity: 'minute', range, filters }
      const answer = await query.answer(asked, { project: faultsProject, filters: {}, metrics: undefined })
      const counted = (answer as SeriesAnswer).series[0]?.points.map(({ v }) => v)
      expect({ what, filters, counted }).toEqual({ what, filters, counted: [0, EACH, 0] })
    }
  }
  const live = [...((await running.hotStore.view()).projects.get(faultsProject.id)?.minutes.keys() ?? [])].sort()
  const kept = times.filter(({ time }) => time > Date.now() - KEPT_MS + MINUTE_MS).map(({ time }) => minuteOf(time))
  expect(live).toEqual(kept.sort())
  expect(kept).toHaveLength(2)
}

describe('late and early events, aggregated two hours after they were received, count in their own minutes', () => {
  test('in memory', () => countBehindLag())

  test.skipIf(isRedisSkipped)('in Redis, where no expired minute has a key again', async () => {
    redis = await startRedis()
    const store = createRedisHotStore(clock, { url: redis.url, partitions: PARTITIONS })
    await store.start()
    await countBehindLag(store)
    const keys = (await redis.command('KEYS', 'nowcast:*')).split('\n')
    const minutes = keys.flatMap((key) => /:(?:minute|users|sessions):(\d+)/.exec(key)?.[1] ?? [])
    expect(Math.min(...minutes.map((minute) => Number(minute) * MINUTE_MS))).toBeGreaterThan(Date.now() - KEPT_MS)
  })
})
