import type { EventStore } from '../../ports/event-store.ts'
import {
  type ClickHouseConnectionOptions,
  type ClickHouseLocation,
  createClickHouseConnection,
  usableOnce,
  withSettings,
} from './clickhouse-connection.ts'
import { createUserDeleter } from './delete-user.ts'
import { exportEvents } from './export-events.ts'
import { mendRollups } from './mend-rollups.ts'
import { migrate } from './migrate.ts'
import { readAggregate } from './read-aggregate.ts'
import {
  readArchivedRanges,
  readClock,
  readFrontiers,
  readHasOtherEpochs,
  readIntegrity,
  readMinuteTotals,
  readOffsetCount,
  readRevision,
  readRolledUpTotals,
} from './read-archive.ts'
import { readExcluded, readFirstEventAt, readRecent } from './read-events.ts'
import { readFunnel } from './read-funnel.ts'
import { insertRejected, readRejected } from './rejected-events.ts'
import { createMonthRetirer } from './retire-months.ts'
import { createOldMonths, isRolledUp, keptFrom } from './rolled-months.ts'
import { INSERTING } from './statement-settings.ts'

export interface ClickHouseEventStoreOptions extends ClickHouseConnectionOptions {
  /** How long a question may take, ms. @default 30000 */
  queryTimeoutMs?: number
  /** Memory that one statement of a question may take, bytes. @default 1 GiB */
  queryMemoryBytes?: number
  /** Time between the steps in which a month is retired, for other processes and questions that run, ms. @default 1 hour */
  settleMs?: number
}

/** What is known of old months may be so old, as a share of the time between the steps. */
const STALE = 1 / 60

/**
 * Raw events and their rollups in ClickHouse: a server's, or the embedded engine's in a child process.
 *
 * @example
 * const store = createClickHouseEventStore({ embedded: { dataDir: './nowcast-data/clickhouse' } })
 * await store.start()
 */
export function createClickHouseEventStore(
  location: ClickHouseLocation,
  options: ClickHouseEventStoreOptions = {},
): EventStore {
  const { queryTimeoutMs = 30_000, queryMemoryBytes = 2 ** 30, settleMs = 3_600_000 } = options
  const unprepared = createClickHouseConnection(location, options)
  let isPrepared = false
  const connection = usableOnce(unprepared, () => isPrepared)
  const deleter = createUserDeleter(connection)
  const asking = withSettings(connection, {
    max_execution_time: Math.ceil(queryTimeoutMs / 1000),
    max_memory_usage: String(queryMemoryBytes),
  })
  const oldMonths = createOldMonths(connection, settleMs * STALE)
  const rolledMonths = async () => (await oldMonths()).filter(isRolledUp)
  return {
    async start() {
      await unprepared.start()
      try {
        await migrate(unprepared)
        await mendRollups(unprepared)
        isPrepared = true
        await deleter.resume()
      } catch (error) {
        await connection.stop()
        throw error
      }
    },
    stop: () => connection.stop(),
    async ping() {
      // A user may have lost its rights, and the table may be gone: whoever asked would be refused.
      await connection.rows('SELECT 1 FROM nowcast.events LIMIT 0', { doing: 'checking the connection' })
    },
    async insert(rows, { timeoutMs } = {}) {
      if (rows.byteLength === 0) return
      const within = timeoutMs === undefined ? {} : { max_execution_time: Math.ceil(timeoutMs / 1000) }
      const settings = { ...INSERTING, ...within }
      await connection.insert('nowcast.events', rows, { doing: 'writing events', settings, timeoutMs })
    },
    now: () => readClock(connection),
    async frontiers(epoch) {
      // The database may have been dropped meanwhile, to begin anew.
      await migrate(connection)
      return readFrontiers(connection, epoch)
    },
    hasOtherEpochs: (epoch) => readHasOtherEpochs(connection, epoch),
    archivedRanges: (epoch, partition, from, to) => readArchivedRanges(connection, epoch, partition, from, to),
    countOffsets: (epoch, partition, from, to) => readOffsetCount(connection, epoch, partition, from, to),
    revision: (from, to) => readRevision(connection, from, to),
    aggregate: async (request) => readAggregate(asking, request, await rolledMonths()),
    funnel: (request) => readFunnel(asking, request),
    excluded: async (selection, signal) => readExcluded(asking, selection, await rolledMonths(), signal),
    recent: (selection, limit, signal) => readRecent(asking, selection, limit, signal),
    firstEventAt: (project) => readFirstEventAt(connection, project),
    minuteTotals: (epoch, from, to, fences) => readMinuteTotals(connection, epoch, from, to, fences),
    integrity: (from, to) => readIntegrity(connection, from, to),
    retireMonths: createMonthRetirer(connection, settleMs),
    keptFrom: async () => keptFrom(await oldMonths()),
    rolledUp: async () => (await rolledMonths()).map(({ from, to }) => ({ from, to })),
    rolledUpTotals: () => readRolledUpTotals(connection),
    deleteUser: (project, id, onProgress = () => {}) => deleter.delete(project, id, onProgress),
    exportEvents: (selection, format, signal) => exportEvents(connection, selection, format, signal),
    insertRejected: (rejections) => insertRejected(connection, rejections),
    rejected: (project, limit, signal) => readRejected(asking, project, limit, signal),
  }
}
