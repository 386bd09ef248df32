import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clickHouseFixture } from '../../packages/server/src/adapters/clickhouse/clickhouse.conformance.ts'
import { createLmdbEventLog, type LmdbEventLog } from '../../packages/server/src/adapters/lmdb/lmdb-event-log.ts'
import { createMemoryHotStore } from '../../packages/server/src/adapters/memory/memory-hot-store.ts'
import { createSoleMember } from '../../packages/server/src/adapters/memory/sole-member.ts'
import { type Aggregator, createAggregator } from '../../packages/server/src/aggregate/aggregator.ts'
import { type Archiver, createArchiver } from '../../packages/server/src/archive/archiver.ts'
import { createMonthRetirer } from '../../packages/server/src/archive/month-retirer.ts'
import { audit } from '../../packages/server/src/audit/audit.ts'
import { createColdStart } from '../../packages/server/src/cold-start.ts'
import { createIngest, createKeptMonths, nativeFormat } from '../../packages/server/src/ingest/ingest.ts'
import type { EventStore } from '../../packages/server/src/ports/event-store.ts'
import { createQuery, type Scope } from '../../packages/server/src/query/query.ts'
import { createTelemetry } from '../../packages/server/src/telemetry.ts'
import { until } from '../servers/until.ts'
import { faultsProject } from './harness/server-parts.ts'

const DAY_MS = 24 * 3_600_000
const DUPLICATES = { duplicateOffsets: 10_000, duplicateMs: DAY_MS }
const logger = pino({ level: 'silent' })
const scope: Scope = { project: faultsProject, filters: {}, metrics: undefined }
/** July is the only month that one whole month beside the running one leaves out from September on. */
const JULY = Date.UTC(2026, 6)
const AUGUST = Date.UTC(2026, 7)

const fixture = clickHouseFixture()
const telemetry = createTelemetry()
let now = Date.UTC(2026, 7, 20)
const clock = { now: () => now }
let path: string
let log: LmdbEventLog
let eventStore: EventStore
let archiver: Archiver
let aggregator: Aggregator
const hotStore = createMemoryHotStore(clock, { partitions: 2 })
beforeAll(async () => {
  path = await mkdtemp(join(tmpdir(), 'nowcast-months-'))
  log = createLmdbEventLog({ path, partitions: 2 })
  await log.start()
  eventStore = await fixture.store(await fixture.folder(), { settleMs: 0 })
  archiver = createArchiver(
    { log, group: createSoleMember(log), eventStore, telemetry, logger },
    { ...DUPLICATES, lingerMs: 20 },
  )
  await archiver.start()
  aggregator = createAggregator(
    {
      ...{ log, group: createSoleMember(log), hotStore, clock, telemetry, logger, touched: () => {} },
      coldStart: createColdStart(log, eventStore, clock.now),
    },
    DUPLICATES,
  )
  await aggregator.start()
})
afterAll(async () => {
  await aggregator.stop()
  await archiver.stop()
  await log.stop()
  await rm(path, { recursive: true, force: true })
  await fixture.cleanUp()
})

const archivedTo = async () => archiver.positions()
const keptMonths = createKeptMonths({ eventStore: { keptFrom: async () => eventStore.keptFrom() }, logger }, 1)

async function send(timestamps: number[], keptFrom: (at: number) => number) {
  const ingest = createIngest({ log, clock, countryOfIp: () => undefined, metrics: telemetry.ingest, keptFrom })
  const events = timestamps.map((timestamp, i) => ({
    ...{ id: `${now}-${i}`, name: 'purchase', userId: `u${i % 7}`, timestamp, revenue: `${i}.05` },
    properties: { plan: 'pro' },
  }))
  const owner = { project: faultsProject, kind: 'secret' as const }
  const connection = { ip: '127.0.0.1', userAgent: '' }
  return ingest.accept({ owner, body: { events }, connection, format: nativeFormat } as never)
}

test('a month that gets old is refused first, then rolled up with all that was accepted, then deleted: answers and audit stay', async () => {
  const query = createQuery({ hotStore, eventStore, clock })
  const ask = async (question: object) => {
    const { asOf: _, tookMs: __, ...answer } = await query.answer(question, scope)
    return answer
  }
  const range = { from: JULY, to: Date.UTC(2026, 8) }
  const byHours = [
    { kind: 'series', metric: 'revenue', granularity: 'day', range },
    { kind: 'total', metric: 'users', range },
    { kind: 'breakdown', metric: 'events', breakdown: 'name', range },
  ]
  const answers = async () => {
    const all = []
    for (const question of byHours) all.push(await ask(question))
    return all
  }
  const audited = async () => {
    const parts = { log, hotStore, eventStore, archivedTo, filled: async () => true }
    const { differences, offsets } = await audit(parts, DUPLICATES)
    // What came after the last event of the month is looked for, in log and history.
    expect(offsets).toBeGreaterThan(0)
    return differences
  }
  const retirer = createMonthRetirer(
    { log, eventStore, archivedTo, clock, telemetry, logger },
    { rawRetentionMonths: 1 },
  )
  const times = Array.from({ length: 60 }, (_, i) => JULY + i * DAY_MS + i * 61_000)
  expect((await send(times, keptMonths.from)).rejected).toEqual([])

  // In the first minute of September July is refused; nothing is deleted for a day.
  now = Date.UTC(2026, 8) + 60_000
  const refused = await send([AUGUST - 1, AUGUST], keptMonths.from)
  expect(refused.accepted).toBe(1)
  expect(refused.rejected).toMatchObject([{ index: 0, code: 'timestamp_too_old' }])
  expect(refused.rejected[0]?.message).toContain('2026-08-01T00:00:00.000Z')
  await retirer.retire()
  expect(await eventStore.keptFrom()).toBe(0)

  // A process that was not told of the retention takes one more event, until the archive announces the month.
  now += DAY_MS
  const untold = createKeptMonths({ eventStore, logger }, undefined)
  expect((await send([AUGUST - 1], untold.from)).accepted).toBe(1)
  await retirer.retire()
  await untold.ask()
  expect((await send([AUGUST - 1], untold.from)).rejected).toMatchObject([{ code: 'timestamp_too_old' }])
  const before = await answers()
  expect(before[0]).toMatchObject({ approximate: false })

  await retirer.retire()
  expect(await answers()).toEqual(before)
  await retirer.retire()
  expect(await answers()).toEqual(before)
  expect((await eventStore.rolledUpTotals()).map(({ events, held }) => [events, held])).toEqual([[32, 32]])
  expect(await audited()).toEqual([])
  expect(telemetry.registry.getSingleMetric('nowcast_retired_months_total')).toBeDefined()
  const counted = await telemetry.retiredMonths.get()
  expect(counted.values.map(({ labels, value }) => [labels.step, value])).toEqual(
    expect.arrayContaining([
      ['rolled_up', 1],
      ['dropped', 1],
    ]),
  )

  // What takes events says since when there are some; what only looks back further says that it does not know.
  for (const question of [
    { kind: 'recent', range },
    { kind: 'funnel', steps: [{ name: 'purchase' }, { name: 'purchase' }], range },
    { kind: 'breakdown', metric: 'events', breakdown: 'browser', range },
    { kind: 'total', metric: 'events', filters: { 'properties.plan': ['pro'] }, range },
    { kind: 'series', metric: 'events', granularity: 'minute', range: { from: AUGUST - DAY_MS, to: AUGUST } },
    { kind: 'total', metric: 'active_users', range },
  ]) {
    const refusal = {
      code: 'invalid_query',
      field: 'range',
      message: expect.stringContaining('2026-08-01T00:00:00.000Z'),
    }
    await expect(ask(question)).rejects.toMatchObject(refusal)
    const later = { ...question, range: { from: AUGUST, to: AUGUST + DAY_MS } }
    await expect(ask(later)).resolves.toBeDefined()
  }
  const august = { from: AUGUST, to: range.to }
  const pro = { kind: 'total', metric: 'events', filters: { 'properties.plan': ['pro'] }, range: august }
  expect(await ask(pro)).toMatchObject({ v: 30, previous: null })
  const cut = { kind: 'total', metric: 'events', range: { from: JULY + 1, to: range.to } }
  expect(await ask(cut)).toMatchObject({ approximate: true })

  // A restart finds its place beside a month that is not there any more, and writes nothing of it again.
  await archiver.stop()
  archiver = createArchiver(
    { log, group: createSoleMember(log), eventStore, telemetry, logger },
    { ...DUPLICATES, lingerMs: 20 },
  )
  await archiver.start()
  const ends = await Promise.all([0, 1].map(async (partition) => (await log.extent(partition)).end))
  await until(String(ends), () => String(archiver.positions()), 120_000)
  await retirer.retire()
  expect((await telemetry.strayEvents.get()).values[0]?.value).toBe(0)
  expect(await answers()).toEqual(before)
  expect(await audited()).toEqual([])
})
