import { pino } from 'pino'
import { afterAll, expect, test } from 'vitest'
import { clickHouseFixture } from './adapters/clickhouse/clickhouse.conformance.ts'
import { createLmdbEventLog } from './adapters/lmdb/lmdb-event-log.ts'
import { createMemoryHotStore } from './adapters/memory/memory-hot-store.ts'
import { createMemoryLiveBus } from './adapters/memory/memory-live-bus.ts'
import { createSoleMember } from './adapters/memory/sole-member.ts'
import { toConfig } from './config.ts'
import { createConsumers } from './consumers.ts'
import { clicksOf } from './ports/event-log.conformance.ts'
import { createTelemetry } from './telemetry.ts'

const EVENTS = 20
const clickHouse = clickHouseFixture()
afterAll(() => clickHouse.cleanUp())

/** A server's stages over a log that has events, as at a start; the parts are real. */
async function stages() {
  const log = createLmdbEventLog({ path: await clickHouse.folder(), partitions: 2 })
  await log.start()
  await log.append([clicksOf(EVENTS), undefined])
  const clock = { now: Date.now }
  const hotStore = createMemoryHotStore(clock, log)
  const eventStore = await clickHouse.store(await clickHouse.folder())
  /** With others in place of these. */
  const consumersOf = (
    other: Partial<{ hotStore: typeof hotStore; eventStore: typeof eventStore; insertLeaseMs: number }>,
  ) =>
    createConsumers({
      config: toConfig({}),
      adapters: {
        ...{
          log,
          trimmableLog: log,
          hotStore,
          eventStore,
          bus: createMemoryLiveBus(),
          windowFeed: undefined,
        },
        ...{ aggregateGroup: createSoleMember(log), archiveGroup: createSoleMember(log) },
        ...{ isHotStoreShared: false, sharedArchivedTo: undefined, insertLeaseMs: undefined, archiveLagMs: undefined },
        ...other,
        start: async () => {},
        stop: async () => {},
      },
      clock,
      telemetry: createTelemetry(),
      logger: pino({ level: 'silent' }),
    })
  return { log, hotStore, eventStore, consumersOf }
}

test('a start waits for the archive alone: the windows are filled while it answers', async () => {
  const { log, hotStore, eventStore, consumersOf } = await stages()
  let isFilled = false
  let fill: () => void = () => {}
  const filled = new Promise<void>((resolve) => {
    fill = resolve
  })
  const slow = {
    ...hotStore,
    async begin(start: Parameters<typeof hotStore.begin>[0]) {
      await filled
      await hotStore.begin(start)
      isFilled = true
    },
  }
  const consumers = consumersOf({ hotStore: slow })
  await consumers.start()
  expect(isFilled).toBe(false)
  expect(await consumers.filled(10)).toBe(false)
  expect((await hotStore.view()).completeSince).toBe(Number.POSITIVE_INFINITY)
  expect(await eventStore.countOffsets(log.epoch, 0, 0, EVENTS)).toBe(EVENTS)
  fill()
  expect(await consumers.filled(60_000)).toBe(true)
  await expect.poll(async () => (await hotStore.view()).completeSince).toBeLessThan(Date.now())
  await consumers.stop()
  await log.stop()
})

test('an archive that takes no rows keeps no start: the windows are filled, and answer', async () => {
  const { log, hotStore, eventStore, consumersOf } = await stages()
  const full = {
    ...eventStore,
    async insert() {
      throw new Error('no space left')
    },
  }
  const consumers = consumersOf({ eventStore: full })
  await consumers.start()
  const { completeSince, projects } = await hotStore.view()
  expect(completeSince).toBeLessThan(Date.now())
  expect(projects.size).toBe(1)
  await consumers.stop()
  await log.stop()
})

test('an archive that others may write to, where a lease is waited for first, keeps no windows waiting', async () => {
  const { log, hotStore, eventStore, consumersOf } = await stages()
  const calls: string[] = []
  const told = {
    hotStore: {
      ...hotStore,
      begin(start: Parameters<typeof hotStore.begin>[0]) {
        calls.push('windows')
        return hotStore.begin(start)
      },
    },
    eventStore: {
      ...eventStore,
      insert(...rows: Parameters<typeof eventStore.insert>) {
        calls.push('archive')
        return eventStore.insert(...rows)
      },
    },
  }
  const consumers = consumersOf({ ...told, insertLeaseMs: 500 })
  await consumers.start()
  await expect.poll(() => calls, { timeout: 30_000 }).toContain('archive')
  expect(calls[0]).toBe('windows')
  await consumers.stop()
  await log.stop()
})

test('a stop while the archive is waited for begins no windows', async () => {
  const { log, hotStore, eventStore, consumersOf } = await stages()
  let inserting = 0
  const full = {
    ...eventStore,
    async insert() {
      inserting++
      throw new Error('no space left')
    },
  }
  const consumers = consumersOf({ eventStore: full })
  const starting = consumers.start()
  await expect.poll(() => inserting).toBeGreaterThan(0)
  await consumers.stop()
  await starting
  expect(await hotStore.fence(log.epoch, 0)).toBeUndefined()
  await log.stop()
})
