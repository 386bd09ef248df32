import { afterAll, beforeAll, expect, test } from 'vitest'
import { randomEvents } from '../../ports/event-store.conformance.ts'
import type { AggregateRequest } from '../../ports/event-store.ts'
import { rowsOf } from '../../ports/event-store-model.conformance.ts'
import { activeUsersStatement, aggregateStatement } from './aggregate-sql.ts'
import { clickHouseFixture } from './clickhouse.conformance.ts'
import type { ClickHouseConnection } from './clickhouse-connection.ts'
import { migrate } from './migrate.ts'

const fixture = clickHouseFixture()
let connection: ClickHouseConnection
beforeAll(async () => {
  connection = await fixture.connection(await fixture.folder())
  await migrate(connection)
  // Many users a cell, so that reading a rollup is plainly cheaper than reading rows.
  await connection.insert('nowcast.events', rowsOf(randomEvents(60_000)), { doing: 'testing' })
})
afterAll(() => fixture.cleanUp())

const DAY = Date.UTC(2025, 9, 26)
const base: AggregateRequest = {
  ...{ project: 'shop', from: DAY, to: DAY + 24 * 3_600_000, filters: [], bots: false, timezone: 'UTC' },
  measures: ['events', 'revenue', 'orders', 'order_revenue', 'buyers'],
}
const DEVICE = { dimension: 'device' as const, values: ['mobile'] }
const TENANT = { dimension: 'hot1' as const, values: ['acme'] }
const europe = 'Europe/Berlin'
const india = 'Asia/Kolkata'

/** Which projections, or `raw`, the statement's parts are read from. */
async function sources({ sql, parameters }: ReturnType<typeof aggregateStatement>): Promise<string[]> {
  const plan = await connection.rows<[string]>(`EXPLAIN ${sql}`, { doing: 'testing', parameters })
  return plan.flatMap(([line]) => /ReadFromMergeTree \(([\w.]+)\)/.exec(line)?.[1] ?? [])
}

test.each<[string, Partial<AggregateRequest>, string[]]>([
  ['minutes', { granularity: 'minute' }, ['rollup_minute']],
  ['hours', { granularity: 'hour' }, ['rollup_hour']],
  ['hours of a zone with whole hours', { granularity: 'hour', timezone: europe }, ['rollup_hour']],
  ['days of a zone with whole hours', { granularity: 'day', timezone: europe }, ['rollup_hour']],
  ['hours of a zone with half hours', { granularity: 'hour', timezone: india }, ['rollup_minute']],
  ['days of a zone with half hours', { granularity: 'day', timezone: india }, ['rollup_minute']],
  ['no buckets', {}, ['rollup_hour']],
  ['a breakdown', { breakdown: 'country', granularity: 'hour' }, ['rollup_hour']],
  ['a breakdown with kept keys', { breakdown: 'country', granularity: 'hour', keys: ['US'] }, ['rollup_hour']],
  ['filters and bots', { filters: [{ dimension: 'country', values: ['US'] }], bots: true }, ['rollup_hour']],
  ['all users by hour', { measures: ['users', 'sessions'], granularity: 'hour' }, ['users_hour']],
  ['all users by day', { measures: ['users'], granularity: 'day', timezone: europe, bots: true }, ['users_hour']],
  ['users of a device', { measures: ['users'], filters: [DEVICE] }, ['users_hour_device']],
  ['users by country', { measures: ['users', 'sessions'], breakdown: 'country' }, ['users_hour_country']],
  [
    'users by the hours of a category',
    { measures: ['users'], granularity: 'hour', filters: [{ dimension: 'category', values: ['hats'] }] },
    ['users_hour_category'],
  ],
  ['users of a tenant', { measures: ['users'], filters: [TENANT], granularity: 'day' }, ['users_hour_hot1']],
  ['buyers by hour', { measures: ['buyers'], granularity: 'hour' }, ['users_hour_name']],
  [
    'users by country, the others together',
    { measures: ['users'], breakdown: 'country', limit: 2, others: true },
    ['users_hour_country'],
  ],
  ['users by two dimensions', { measures: ['users'], filters: [DEVICE], breakdown: 'country' }, ['rollup_hour']],
  ['cut hours', { from: DAY + 60_000, to: DAY + 86_340_000 }, ['rollup_minute', 'rollup_hour', 'rollup_minute']],
  ['cut minutes', { from: DAY + 1, granularity: 'minute' }, ['nowcast.events', 'rollup_minute']],
  ['a raw dimension', { breakdown: 'browser', granularity: 'hour' }, ['nowcast.events']],
])('%s are read from %o', async (_, request, expected) => {
  expect(await sources(aggregateStatement({ ...base, ...request }))).toEqual(expected)
})

test('active users are read from minutes, and the frontiers from their own projection', async () => {
  expect(await sources(activeUsersStatement({ ...base, granularity: 'minute' }))).toEqual(['rollup_minute'])
  const sql =
    'SELECT log_partition, max(log_offset), argMax(received_at, log_offset) FROM nowcast.events WHERE log_epoch = 1 GROUP BY log_partition'
  expect(await sources({ sql, parameters: {} })).toEqual(['frontier'])
})

test('a body becomes one part a month', async () => {
  const parts = await connection.rows<[string, number]>(
    "SELECT partition, toUInt32(min_block_number) FROM system.parts WHERE database = 'nowcast' AND table = 'events' AND active",
    { doing: 'testing' },
  )
  expect(new Set(parts.map(([partition]) => partition)).size).toBe(parts.length)
})
