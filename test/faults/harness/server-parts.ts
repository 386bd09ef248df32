import { type Logger, pino } from 'pino'
import { createLmdbEventLog, type LmdbEventLog } from '../../../packages/server/src/adapters/lmdb/lmdb-event-log.ts'
import { createMemoryHotStore } from '../../../packages/server/src/adapters/memory/memory-hot-store.ts'
import { createSoleMember } from '../../../packages/server/src/adapters/memory/sole-member.ts'
import { createAggregator } from '../../../packages/server/src/aggregate/aggregator.ts'
import { createArchiver } from '../../../packages/server/src/archive/archiver.ts'
import { type AuditReport, audit } from '../../../packages/server/src/audit/audit.ts'
import { createColdStart } from '../../../packages/server/src/cold-start.ts'
import { createIngest, nativeFormat } from '../../../packages/server/src/ingest/ingest.ts'
import type { EventLog } from '../../../packages/server/src/ports/event-log.ts'
import type { EventStore } from '../../../packages/server/src/ports/event-store.ts'
import type { HotStore } from '../../../packages/server/src/ports/hot-store.ts'
import { toProject } from '../../../packages/server/src/project.ts'
import { createTelemetry } from '../../../packages/server/src/telemetry.ts'
import { joinSum } from '../../../packages/server/src/window/split-sum.ts'
import { knownProject } from '../../servers/known-projects.ts'
import { until } from '../../servers/until.ts'
import type { Sum } from './acknowledged-ledger.ts'
import { parseUnits } from './decimal-units.ts'
import type { KnownBatch } from './generated-traffic.ts'

/** Of the log. */
export const PARTITIONS = 2
const DUPLICATES = { duplicateOffsets: 100_000, duplicateMs: 24 * 3_600_000 }
/** The project of all events. */
export const faultsProject = toProject(knownProject('shop', {}))
const QUIET: Logger = pino({ level: 'silent' })

export interface PartsOptions {
  /** Folder of the log. */
  path: string
  eventStore: EventStore
  /** Puts something between the parts and a port. */
  wrap?: {
    log?: (log: LmdbEventLog) => EventLog
    hotStore?: (hotStore: HotStore) => HotStore
    eventStore?: (eventStore: EventStore) => EventStore
  }
  /** Aggregators on the same hot store. @default 1 */
  aggregators?: number
  /** The time that events are received at, epoch ms. @default now */
  receivedAt?: () => number
  logger?: Logger
}

/** The real parts of a server without its process: log, hot store, aggregator, archiver. */
export interface ServerParts {
  log: LmdbEventLog
  hotStore: HotStore
  /** Appends a batch through ingest. */
  accept(batch: KnownBatch): Promise<void>
  /** Starts what reads the log. */
  consume(): Promise<void>
  /** Resolves when both readers have passed what the log holds. */
  caughtUp(): Promise<void>
  /** All that the hot store counts. */
  live(): Promise<Sum>
  /** All that the archive counts: by its rows, and by its rollups. */
  history(): Promise<{ rows: Sum; rollups: Sum }>
  audit(): Promise<AuditReport>
  stop(): Promise<void>
}

/** Opens the log and puts the parts together. */
export async function startParts(options: PartsOptions): Promise<ServerParts> {
  const { path, wrap = {}, aggregators = 1, receivedAt = () => Date.now(), logger = QUIET } = options
  const clock = { now: () => Date.now() }
  const telemetry = createTelemetry()
  const storedLog = createLmdbEventLog({ path, partitions: PARTITIONS })
  await storedLog.start()
  const log = wrap.log?.(storedLog) ?? storedLog
  const memory = createMemoryHotStore(clock, { partitions: PARTITIONS })
  const hotStore = wrap.hotStore?.(memory) ?? memory
  const eventStore = wrap.eventStore?.(options.eventStore) ?? options.eventStore
  const ingest = createIngest({
    log,
    clock: { now: receivedAt },
    countryOfIp: () => undefined,
    metrics: telemetry.ingest,
  })
  const consumer = { log, clock, telemetry, logger }
  const group = createSoleMember(log)
  const coldStart = createColdStart(log, eventStore, clock.now)
  const readers = Array.from({ length: aggregators }, () =>
    createAggregator({ ...consumer, group, hotStore, coldStart }, { ...DUPLICATES, flushMs: 20 }),
  )
  const archiver = createArchiver({ ...consumer, group, eventStore }, { ...DUPLICATES, lingerMs: 50 })

  const ends = () => Promise.all(Array.from({ length: PARTITIONS }, async (_, p) => (await storedLog.extent(p)).end))
  const hasPassed = (positions: readonly number[], all: readonly number[]) =>
    all.every((end, p) => (positions[p] ?? 0) >= end)

  return {
    log: storedLog,
    hotStore,
    async accept({ key, events }) {
      const connection = { ip: '127.0.0.1', userAgent: '' }
      const owner = { project: faultsProject, kind: key }
      const { accepted } = await ingest.accept({ owner, body: { events }, connection, format: nativeFormat } as never)
      if (accepted !== events.length) throw new Error(`${accepted} of ${events.length} events were accepted`)
    },
    async consume() {
      await archiver.start()
      await Promise.all(readers.map((reader) => reader.start()))
      await Promise.all(readers.map((reader) => reader.caughtUp))
    },
    async caughtUp() {
      const all = await ends()
      await until(true, async () => {
        // A store that is away for a moment has not caught up.
        const fenceOf = async (p: number) => (await hotStore.fence(log.epoch, p).catch(() => undefined))?.offset ?? 0
        const fences = await Promise.all(all.map((_, p) => fenceOf(p)))
        const read = readers.every((reader) => hasPassed(reader.positions(), all))
        return read && hasPassed(fences, all) && hasPassed(archiver.positions(), all)
      })
    },
    async live() {
      const sum = { events: 0, units: 0n }
      for (const window of (await hotStore.view()).projects.get(faultsProject.id)?.minutes.values() ?? []) {
        window.visit((_id, events, high, low) => {
          sum.events += events
          sum.units += joinSum(high, low)
        })
      }
      return sum
    },
    async history() {
      const selection = { project: faultsProject.id, from: 0, to: Date.now() + 3_600_000, filters: [], bots: true }
      const request = { ...selection, measures: ['events' as const, 'revenue' as const], timezone: 'UTC' }
      const fromRows = { filters: [{ dimension: 'properties.run' as const, values: ['faults'] }] }
      const [rollups, rows] = await Promise.all([
        options.eventStore.aggregate(request),
        options.eventStore.aggregate({ ...request, ...fromRows }),
      ])
      const sumOf = ([row]: typeof rows) => ({ events: Number(row?.values[0] ?? 0n), units: row?.values[1] ?? 0n })
      return { rows: sumOf(rows), rollups: sumOf(rollups) }
    },
    audit: () =>
      audit(
        {
          ...{ log, hotStore, eventStore: options.eventStore, archivedTo: async () => archiver.positions() },
          filled: async () => true,
        },
        { ...DUPLICATES },
      ),
    async stop() {
      await ingest.stop()
      await Promise.all(readers.map((reader) => reader.stop()))
      await archiver.stop()
      await hotStore.stop()
      await storedLog.stop()
    },
  }
}

/** What batches add up to. */
export function sumOf(batches: readonly KnownBatch[]): Sum {
  const events = batches.flatMap((batch) => batch.events)
  return {
    events: events.length,
    units: events.reduce((sum, { revenue }) => sum + parseUnits(String(revenue ?? '0')), 0n),
  }
}

/** Every reading of the figures that is not the expected one, those of the audit included. */
export async function wrongFigures(parts: ServerParts, expected: Sum): Promise<string[]> {
  const { rows, rollups } = await parts.history()
  const readings = { live: await parts.live(), rows, rollups }
  const wrong = Object.entries(readings).filter(
    ([, { events, units }]) => events !== expected.events || units !== expected.units,
  )
  const { differences } = await parts.audit()
  return [
    ...wrong.map(([name, { events, units }]) => `${name}: ${events} with ${units}`),
    ...differences.map(({ what, expected, found }) => `audit: ${what}: ${expected}, ${found}`),
  ]
}
