import { setTimeout as sleep } from 'node:timers/promises'
import { NowcastError } from '../../errors.ts'
import type { EventStore } from '../../ports/event-store.ts'
import type { PlacedRow, UniqueRows } from '../../ports/unique-rows.ts'
import { createDruidConnection, type DruidLocation } from './druid-connection.ts'
import { toDruidRow } from './druid-row.ts'
import { readAggregate } from './read-aggregate.ts'
import { readHasOtherEpochs, readHighest, readIntegrity, readMinuteTotals, readOffsetCount } from './read-archive.ts'
import { readExcluded, readFirstEventAt, readRecent } from './read-events.ts'
import { createSupervisor } from './supervisor.ts'

/** How long Druid may take to read what the topic holds when somebody compares, ms. */
const CATCH_UP_MS = 30_000
const POLL_MS = 200

export interface DruidEventStoreOptions extends DruidLocation {
  /** Properties of Kafka's Java client, with which Druid reads the topic. */
  consumerProperties: Readonly<Record<string, string>>
}

/**
 * History in Druid. Rows reach it through a topic that has each of them once, and its end is the archive's position, so
 * that archiving does without Druid; Druid's own supervisor reads the topic.
 *
 * @example
 * const store = createDruidEventStore(rows, { url: 'http://localhost:8888', consumerProperties })
 */
export function createDruidEventStore(topic: UniqueRows, options: DruidEventStoreOptions): EventStore {
  const connection = createDruidConnection(options)
  const datasource = topic.name
  const supervisor = createSupervisor(connection, { ...options, topic: topic.name })

  async function open(): Promise<void> {
    await topic.start()
    await supervisor.keep()
  }

  /** Waits until Druid has read what the topic holds now. */
  async function caughtUp(): Promise<void> {
    const deadline = performance.now() + CATCH_UP_MS
    const last = await topic.last()
    const epochs = new Set(last.flatMap((place) => (place ? [place.epoch] : [])))
    for (const epoch of epochs) {
      for (;;) {
        const highest = await readHighest(connection, datasource, epoch)
        const isBehind = (place: (typeof last)[number], partition: number) =>
          place?.epoch === epoch && (highest.get(partition)?.offset ?? -1) < place.offset
        if (!last.some(isBehind)) break
        if (performance.now() > deadline) {
          const why = (await supervisor.problem()) ?? 'its supervisor is at work: try again'
          throw new NowcastError('archive_unavailable', `Druid has not read all of ${topic.name} yet: ${why}`, {
            retryable: true,
          })
        }
        await sleep(POLL_MS)
      }
    }
  }

  return {
    start: open,
    stop: () => topic.stop(),
    async ping() {
      const problem = await supervisor.problem()
      if (problem !== undefined) throw new NowcastError('archive_unavailable', problem, { retryable: true })
    },
    async insert(bytes) {
      const byPartition = new Map<number, PlacedRow[]>()
      for (const line of Buffer.from(bytes).toString('utf8').split('\n')) {
        if (line === '') continue
        const { partition, ...row } = toDruidRow(line)
        const rows = byPartition.get(partition)
        if (rows) rows.push(row)
        else byPartition.set(partition, [row])
      }
      const appended = Array.from(byPartition, ([partition, rows]) => topic.append(partition, rows))
      // All have ended before the caller looks where the archive stands.
      const failed = (await Promise.allSettled(appended)).find((one) => one.status === 'rejected')
      if (failed) throw failed.reason
    },
    // Nothing is refused by its age: a writer that was replaced is refused by Kafka.
    now: async () => Date.now(),
    async frontiers(epoch) {
      await topic.start()
      const last = await topic.last()
      // What was deleted from the topic for its age has been read by Druid.
      const highest = last.includes(undefined) ? await readHighest(connection, datasource, epoch) : undefined
      return last.flatMap((place, partition) => {
        const found = place ? (place.epoch === epoch ? place : undefined) : highest?.get(partition)
        return found ? [{ partition, offset: found.offset, receivedAt: found.receivedAt, retiredTo: 0 }] : []
      })
    },
    hasOtherEpochs: (epoch) => readHasOtherEpochs(connection, datasource, epoch),
    /** The topic has no gaps, whatever becomes of a writer: below its end, all that is no repeat is there. */
    async archivedRanges(epoch, partition, from, to) {
      const place = (await topic.last())[partition]
      const end = place?.epoch === epoch ? Math.min(to, place.offset + 1) : place ? from : to
      return end > from ? [{ from, to: end }] : []
    },
    aggregate: (request) => readAggregate(connection, datasource, request),
    excluded: (selection, signal) => readExcluded(connection, datasource, selection, signal),
    recent: (selection, limit, signal) => readRecent(connection, datasource, selection, limit, signal),
    firstEventAt: (project) => readFirstEventAt(connection, datasource, project),
    async minuteTotals(epoch, from, to, fences) {
      await caughtUp()
      return readMinuteTotals(connection, datasource, epoch, { from, to }, fences)
    },
    async integrity(from, to) {
      await caughtUp()
      const { rows, distinct } = await readIntegrity(connection, datasource, { from, to })
      // There are no rollups beside the rows.
      return { rows, distinct, rolledUp: rows }
    },
    async countOffsets(epoch, partition, from, to) {
      await caughtUp()
      return readOffsetCount(connection, datasource, { epoch, partition, from, to })
    },
    revision: async () => undefined,
    keptFrom: async () => 0,
    rolledUp: async () => [],
    rolledUpTotals: async () => [],
    // They are counted in /metrics; Druid takes rows from its topic only, and these are none of the events.
    insertRejected: async () => {},
    async rejected() {
      throw unsupported('keep refused events', 'nowcast_rejected_total in /metrics counts them')
    },
    async funnel() {
      throw unsupported('answer funnels', 'it does not tell in which order a user did something')
    },
    async deleteUser() {
      throw unsupported(
        'anonymise single events',
        'it changes none that it holds: reindex the datasource without the user, as docs/druid.md shows',
      )
    },
    async exportEvents() {
      throw unsupported('export events', 'read the datasource with Druid SQL, as docs/druid.md shows')
    },
    async retireMonths() {
      throw unsupported('replace events by their hours', 'set a retention rule on the datasource in Druid instead')
    },
  }
}

function unsupported(what: string, why: string): NowcastError {
  return new NowcastError('not_supported', `Druid as the archive cannot ${what}: ${why}. ClickHouse can.`)
}
