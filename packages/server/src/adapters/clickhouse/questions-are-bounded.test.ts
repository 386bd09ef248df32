import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AggregateRequest, EventStore } from '../../ports/event-store.ts'
import { type ModelEvent, rowsOf } from '../../ports/event-store-model.conformance.ts'
import { clickHouseFixture } from './clickhouse.conformance.ts'
import { type ClickHouseConnection, withSettings } from './clickhouse-connection.ts'
import { readFunnel } from './read-funnel.ts'

const fixture = clickHouseFixture()
const START = Date.UTC(2026, 0, 5)
const DAY_MS = 86_400_000
const COUNT = 20_000
const request: AggregateRequest = {
  ...{ project: 'shop', from: START, to: START + DAY_MS, filters: [], bots: false, timezone: 'UTC' },
  ...{ measures: ['users'], granularity: 'minute', breakdown: 'country' },
}
let dataDir: string
let connection: ClickHouseConnection

beforeAll(async () => {
  dataDir = await fixture.folder()
  const store = await fixture.store(dataDir)
  const event = (i: number): ModelEvent => ({
    ...{ offset: i, project: 'shop', id: `e${i}`, userId: `u${i % 500}`, ts: START + i * 4000, device: 'mobile' },
    ...{ name: i % 3 === 0 ? 'purchase' : 'page_view', country: `c${i % 40}`, category: '(none)' },
  })
  await store.insert(rowsOf(Array.from({ length: COUNT }, (_, i) => event(i))))
  await store.stop()
})
afterAll(() => fixture.cleanUp())

async function withStore(options: object, use: (store: EventStore) => Promise<void>): Promise<void> {
  const store = await fixture.store(dataDir, options)
  await use(store).finally(() => store.stop())
}

test('a question that needs more memory than one may take says so, and others are answered', async () => {
  await withStore({ queryMemoryBytes: 1_500_000 }, async (store) => {
    await expect(store.aggregate(request)).rejects.toMatchObject({ code: 'query_too_large', status: 400 })
    const small: AggregateRequest = { ...request, measures: ['events'], granularity: undefined, breakdown: undefined }
    expect((await store.aggregate(small))[0]?.values).toEqual([BigInt(COUNT)])
  })
})

test('the revision of a range changes with its events, and not with those of other days', async () => {
  await withStore({}, async (store) => {
    const day = () => store.revision(START, START + DAY_MS)
    const before = await day()
    expect(await day()).toBe(before)
    const event = { project: 'blog', id: 'x', name: 'click', country: 'US', device: 'mobile', category: '(none)' }
    await store.insert(rowsOf([{ ...event, offset: COUNT, userId: 'u', ts: START + 30 * DAY_MS }]))
    expect(await day()).toBe(before)
    await store.insert(rowsOf([{ ...event, offset: COUNT + 1, userId: 'u', ts: START + 5 }]))
    expect(await day()).not.toBe(before)
  })
})

test('a funnel in many passes counts what one pass counts', async () => {
  connection = await fixture.connection(dataDir)
  const steps = ['page_view', 'purchase', 'page_view'].map((name) => ({ name, filters: [] }))
  const funnel = {
    ...{ project: 'shop', from: START, to: START + DAY_MS, filters: [], bots: false },
    ...{ steps, windowMs: 3_600_000, breakdown: 'country' as const },
  }
  const whole = await readFunnel(connection, funnel)
  expect(whole[0]?.users[0]).toBe(500)
  expect(whole.length).toBe(41)
  expect(await readFunnel(connection, funnel, 3000)).toEqual(whole)
})

test('a statement that takes too long is ended, and says what to do', async () => {
  const bounded = withSettings(connection, { max_execution_time: 1 })
  const slow = 'SELECT count() FROM numbers(100000) WHERE sleepEachRow(0.001) = 0 SETTINGS max_block_size = 100'
  const answer = bounded.rows(slow, { doing: 'trying' })
  await expect(answer).rejects.toMatchObject({ code: 'query_timeout', retryable: true, status: 503 })
})

test('a statement whose asker has gone is ended', async () => {
  const gone = new AbortController()
  const slow = 'SELECT count() FROM numbers(1000000) WHERE sleepEachRow(0.001) = 0 SETTINGS max_block_size = 100'
  const answer = connection.rows(slow, { doing: 'trying', signal: gone.signal })
  const running = async () => {
    const sql =
      "SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow%' AND query NOT LIKE '%processes%'"
    return Number((await connection.rows<[string]>(sql, { doing: 'counting' }))[0]?.[0])
  }
  await expect.poll(running, { timeout: 20_000 }).toBe(1)
  gone.abort()
  await expect(answer).rejects.toMatchObject({ name: 'AbortError' })
  await expect.poll(running, { timeout: 20_000 }).toBe(0)
})
