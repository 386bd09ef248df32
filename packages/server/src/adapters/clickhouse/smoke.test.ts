import { mkdtempSync } from 'node:fs'
import { expect, test } from 'vitest'
// @ts-expect-error
import { makeRows } from '/tmp/ch/rows.mjs'
import { createClickHouseEventStore } from './clickhouse-event-store.ts'
import { bundleEngine } from './embedded/bundle-engine.ts'

test('smoke', async () => {
  const entry = await bundleEngine()
  const dataDir = mkdtempSync('/tmp/ch/smoke-')
  const store = createClickHouseEventStore({ embedded: { dataDir, entry, onExit: (e) => console.log('exit', e) } })
  await store.start()
  try {
    await store.ping()
    const t0 = Date.UTC(2026, 0, 15, 12)
    for (let i = 0; i < 5; i++) {
      const rows = Buffer.from(makeRows(64000, i + 1, t0 + i * 60000, 60000, i * 64000).join('\n'))
      const t = performance.now()
      await store.insert(rows)
      console.log('us/row', ((performance.now() - t) / 64).toFixed(2))
    }
    console.log(await store.frontiers(1))
    const base = { project: 'shop', from: t0, to: t0 + 600_000, filters: [], bots: false, timezone: 'Europe/Berlin' }
    const timed = async (f: () => Promise<unknown>) => {
      const t = performance.now()
      try {
        console.log(await f(), (performance.now() - t).toFixed(1), 'ms')
      } catch (e) {
        console.log(e, (e as any).cause)
      }
    }
    const all = [
      'events',
      'page_views',
      'clicks',
      'purchases',
      'errors',
      'revenue',
      'orders',
      'order_revenue',
      'users',
      'buyers',
      'sessions',
    ] as const
    await timed(() => store.aggregate({ ...base, measures: [...all], granularity: 'minute' }))
    await timed(() => store.aggregate({ ...base, measures: [...all] }))
    await timed(() => store.aggregate({ ...base, measures: ['page_views'], breakdown: 'country', limit: 3 }))
    await timed(() =>
      store.aggregate({
        ...base,
        measures: ['events', 'active_users'],
        breakdown: 'country',
        limit: 2,
        granularity: 'minute',
      }),
    )
    await timed(() =>
      store.aggregate({ ...base, measures: ['events'], breakdown: 'properties.sku', limit: 2, granularity: 'day' }),
    )
    await timed(() => store.aggregate({ ...base, measures: ['events'], breakdown: 'browser', granularity: 'hour' }))
    await timed(() => store.excluded(base))
    await timed(() => store.recent(base, 2))
    await timed(() => store.firstEventAt('shop'))
    await timed(() => store.minuteTotals(1, t0, t0 + 60000, Array(8).fill(1e9)))
    await timed(() => store.integrity(t0, t0 + 600000))
    await timed(() => store.countOffsets(1, 0, 0, 1000))
    await timed(() => store.archivedOffsets(1, 0, 0, 100))
  } finally {
    await store.stop()
  }
}, 60000)
