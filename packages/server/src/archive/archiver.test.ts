import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { afterAll, expect, test } from 'vitest'
import { clickHouseFixture } from '../adapters/clickhouse/clickhouse.conformance.ts'
import { createLmdbEventLog } from '../adapters/lmdb/lmdb-event-log.ts'
import { createSoleMember } from '../adapters/memory/sole-member.ts'
import { changedLog, clicksOf } from '../ports/event-log.conformance.ts'
import type { EventStore } from '../ports/event-store.ts'
import { createTelemetry } from '../telemetry.ts'
import { createArchiver } from './archiver.ts'

const clickHouse = clickHouseFixture()
afterAll(() => clickHouse.cleanUp())

/** A member whose partitions the test gives and takes, and whom the group always hears. */
function groupOf() {
  const group = { assign: (_: readonly number[]) => {} }
  const member = {
    sessionTimeoutMs: 10_000,
    get aliveAt() {
      return performance.now()
    },
    start: async (onAssigned: typeof group.assign) => {
      group.assign = onAssigned
    },
    stop: async () => {},
    commit: async () => {},
  }
  return { group, member }
}

test('rows that were put together for partitions which others have now are not sent, whatever their sender waited for', async () => {
  const store = await clickHouse.store(await clickHouse.folder())
  const log = createLmdbEventLog({ path: await clickHouse.folder(), partitions: 1 })
  await log.start()
  await log.append([clicksOf(10)])
  // A store that does not answer when asked for its clock: what an insert asks first.
  let asked = 0
  let answer: () => void = () => {}
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })
  const slow = {
    ...store,
    async now() {
      asked++
      await answered
      return store.now()
    },
  }
  const { group, member } = groupOf()
  const duplicates = { duplicateOffsets: 1000, duplicateMs: 60_000 }
  const context = { log, group: member, eventStore: slow, telemetry: createTelemetry() }
  const archiver = createArchiver(
    { ...context, logger: pino({ level: 'silent' }) },
    { ...duplicates, leaseMs: 200, lingerMs: 10 },
  )
  await archiver.start()
  group.assign([0])
  await expect.poll(() => asked, { timeout: 10_000 }).toBe(1)
  group.assign([])
  answer()
  await sleep(500)
  expect(await store.frontiers(log.epoch)).toEqual([])

  // Given back, they are archived once.
  group.assign([0])
  await expect.poll(() => archiver.positions(), { timeout: 10_000 }).toEqual([10])
  expect(await store.countOffsets(log.epoch, 0, 0, 10)).toBe(10)
  expect(archiver.problem).toBeUndefined()
  await archiver.stop()
  await log.stop()
})

test('known ids that were read beforehand change nothing, wherever the archive stands', async () => {
  const store = await clickHouse.store(await clickHouse.folder())
  const log = createLmdbEventLog({ path: await clickHouse.folder(), partitions: 1 })
  await log.start()
  const options = { duplicateOffsets: 1000, duplicateMs: 60_000, lingerMs: 10, insertOffsets: 10 }
  const archiverOf = (eventStore: EventStore) =>
    createArchiver(
      {
        log,
        group: createSoleMember(log),
        eventStore,
        telemetry: createTelemetry(),
        logger: pino({ level: 'silent' }),
      },
      options,
    )
  // The archive stands far before, and at, where the ids are read to: 100 events, then their repeats, then new ones.
  for (const [batches, unique] of [
    [[clicksOf(100)], 100],
    [[clicksOf(100), clicksOf(150)], 150],
    [[clicksOf(150)], 150],
  ] as const) {
    for (const batch of batches) await log.append([batch])
    const archiver = archiverOf(store)
    await archiver.prepare()
    await archiver.start()
    await archiver.caughtUp
    const { end } = await log.extent(0)
    expect(archiver.positions()).toEqual([end])
    expect(await store.countOffsets(log.epoch, 0, 0, end)).toBe(unique)
    await archiver.stop()
  }

  // A stop in the middle of it reads no further: the log is closed next.
  const archiver = archiverOf(store)
  const preparing = archiver.prepare()
  await archiver.stop()
  await preparing
  await log.stop()
})

test('a store that fails while known ids are read lets no repeat through: they are read to their end first', async () => {
  const store = await clickHouse.store(await clickHouse.folder())
  const log = createLmdbEventLog({ path: await clickHouse.folder(), partitions: 1 })
  await log.start()
  for (let n = 0; n < 20; n++) await log.append([clicksOf(n + 1)])
  const context = { group: createSoleMember(log), telemetry: createTelemetry(), logger: pino({ level: 'silent' }) }
  const options = { duplicateOffsets: 1000, duplicateMs: 60_000, lingerMs: 10, insertOffsets: 10 }
  const first = createArchiver({ ...context, log, eventStore: store }, options)
  await first.start()
  await first.caughtUp
  await first.stop()
  await log.append([clicksOf(20)])

  let failures = 2
  let reading = 0
  let atOnce = 0
  const slow = changedLog(log, {
    async *readIdentities(partition, from, to) {
      atOnce = Math.max(atOnce, ++reading)
      for await (const chunk of log.readIdentities(partition, from, to)) {
        await sleep(100)
        yield chunk
      }
      reading--
    },
  })
  const failing = {
    ...store,
    async archivedRanges(...range: Parameters<EventStore['archivedRanges']>) {
      if (failures-- > 0) throw new Error('memory limit exceeded')
      return store.archivedRanges(...range)
    },
  }
  const archiver = createArchiver({ ...context, log: slow, eventStore: failing }, options)
  await archiver.start()
  await archiver.caughtUp
  const { end } = await log.extent(0)
  expect([failures, atOnce]).toEqual([-1, 1])
  expect(await store.countOffsets(log.epoch, 0, 0, end)).toBe(20)
  await archiver.stop()
  await log.stop()
})
