import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { pino } from 'pino'
import { afterAll, afterEach, expect, test } from 'vitest'
import { clickHouseFixture } from '../../packages/server/src/adapters/clickhouse/clickhouse.conformance.ts'
import { createLmdbEventLog, type LmdbEventLog } from '../../packages/server/src/adapters/lmdb/lmdb-event-log.ts'
import { createSoleMember } from '../../packages/server/src/adapters/memory/sole-member.ts'
import { type Archiver, createArchiver } from '../../packages/server/src/archive/archiver.ts'
import { NowcastError } from '../../packages/server/src/errors.ts'
import { createIngest, type Ingest, nativeFormat } from '../../packages/server/src/ingest/ingest.ts'
import { createRetentionGuard } from '../../packages/server/src/ingest/retention-guard.ts'
import type { EventStore } from '../../packages/server/src/ports/event-store.ts'
import { createTelemetry, type Telemetry } from '../../packages/server/src/telemetry.ts'
import { until } from '../servers/until.ts'
import { faultsProject } from './harness/server-parts.ts'

const HOUR_MS = 3_600_000
/** Kafka's default here: three days, of which repeats need one. */
const RETENTION_MS = 72 * HOUR_MS
const ARCHIVE_LAG_MS = 48 * HOUR_MS
const DUPLICATES = { duplicateOffsets: 10_000, duplicateMs: 24 * HOUR_MS }
const EVENTS_AN_HOUR = 400
/** Of each event, so that what waits is far more than the memory that may be used. */
const PROPERTY_BYTES = 4000
const MOST_GROWTH_BYTES = 32 * 1024 * 1024

const fixture = clickHouseFixture()
let path: string
let log: LmdbEventLog
let archiver: Archiver
let ingest: Ingest
let telemetry: Telemetry
let eventStore: EventStore
/** Whether ClickHouse does not answer. */
let isAway: boolean
let now: number
let accepted: number

async function open(isGuarded: boolean) {
  path = await mkdtemp(join(tmpdir(), 'nowcast-log-'))
  log = createLmdbEventLog({ path, partitions: 2, tailBytes: 0 })
  await log.start()
  eventStore = await fixture.store(await fixture.folder())
  isAway = false
  accepted = 0
  now = Date.now() - 200 * HOUR_MS
  const leaving = new Proxy(eventStore, {
    get(target, name) {
      if (isAway)
        return () => Promise.reject(new NowcastError('archive_unavailable', 'it is away', { retryable: true }))
      return target[name as keyof EventStore]
    },
  })
  const clock = { now: () => now }
  const logger = pino({ level: 'silent' })
  telemetry = createTelemetry()
  archiver = createArchiver(
    { log, group: createSoleMember(log), eventStore: leaving, telemetry, logger },
    { ...DUPLICATES, lingerMs: 20 },
  )
  const guard = createRetentionGuard(
    { log, clock, logger, archivedTo: async () => archiver.positions() },
    isGuarded ? () => ARCHIVE_LAG_MS : undefined,
  )
  ingest = createIngest({
    ...{ log, clock, countryOfIp: () => undefined, metrics: telemetry.ingest, refusal: guard.refusal },
  })
  await archiver.start()
  return guard
}
afterEach(async () => {
  isAway = false
  await ingest.stop()
  await archiver.stop()
  await log.stop()
  await rm(path, { recursive: true, force: true })
})
afterAll(() => fixture.cleanUp())

/** What an hour's clients send. @returns the refusal, if there was one */
async function sendHour(): Promise<NowcastError | undefined> {
  const events = Array.from({ length: EVENTS_AN_HOUR }, (_, i) => ({
    ...{ id: `${now}-${i}`, name: 'click', anonymousId: `visitor-${i % 30}` },
    properties: { text: String(i % 10).repeat(PROPERTY_BYTES) },
  }))
  const owner = { project: faultsProject, kind: 'secret' as const }
  const connection = { ip: '127.0.0.1', userAgent: '' }
  try {
    const answer = await ingest.accept({ owner, body: { events }, connection, format: nativeFormat } as never)
    accepted += answer.accepted
    return undefined
  } catch (error) {
    return error as NowcastError
  }
}

/** Deletes by age what Kafka would, archived or not. */
async function passRetention(): Promise<void> {
  for (let partition = 0; partition < log.partitions; partition++) {
    const offset = await log.offsetAt(partition, now - RETENTION_MS)
    await log.trim(partition, offset, offset)
  }
}

async function cutOffsets(): Promise<number> {
  const { values } = await telemetry.cut.get()
  return values.reduce((sum, { value }) => sum + value, 0)
}

async function archivedRows(): Promise<number> {
  return (await eventStore.integrity(0, 7e12)).rows
}

/** Bytes in use after what nobody needs was let go. */
function usedBytes(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

test('with ClickHouse away events are refused before the log loses one, memory stays flat, and then everything accepted is archived', async () => {
  const guard = await open(true)
  const hour = async () => {
    now += HOUR_MS
    await guard.check()
    await passRetention()
    return sendHour()
  }
  for (let i = 0; i < 5; i++) expect(await hour()).toBeUndefined()
  await until(accepted, archivedRows)
  isAway = true
  const awayAt = now
  let usedAtFirst = 0
  let refusal: NowcastError | undefined
  while (!refusal) {
    refusal = await hour()
    if (now === awayAt + 5 * HOUR_MS) usedAtFirst = usedBytes()
  }
  expect((now - awayAt) / HOUR_MS).toBeGreaterThan(ARCHIVE_LAG_MS / HOUR_MS - 2)
  expect((now - awayAt) / HOUR_MS).toBeLessThan(RETENTION_MS / HOUR_MS - 20)
  expect(refusal).toMatchObject({ status: 503, retryAfterMs: 30_000, retryable: true })
  expect(refusal.message).toContain('is ClickHouse reachable')
  expect(usedBytes() - usedAtFirst).toBeLessThan(MOST_GROWTH_BYTES)
  // A day later still nothing is lost: nothing that is not archived is old enough.
  for (let i = 0; i < 20; i++) expect(await hour()).toBeDefined()

  isAway = false
  await until(accepted, archivedRows, 60_000)
  await until(true, async () => (await hour()) === undefined)
  await until(accepted, archivedRows, 60_000)
  expect(await cutOffsets()).toBe(0)
})

test('without the guard, events are lost, and counted as cut', async () => {
  const guard = await open(false)
  const hour = async () => {
    now += HOUR_MS
    await guard.check()
    await passRetention()
    return sendHour()
  }
  expect(await hour()).toBeUndefined()
  await until(accepted, archivedRows)
  isAway = true
  for (let i = 0; i < 90; i++) expect(await hour()).toBeUndefined()
  isAway = false
  await until(true, async () => (await cutOffsets()) > 0, 60_000)
  await until(accepted, async () => (await archivedRows()) + (await cutOffsets()), 60_000)
})
