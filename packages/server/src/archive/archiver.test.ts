import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { afterAll, expect, test } from 'vitest'
import { clickHouseFixture } from '../adapters/clickhouse/clickhouse.conformance.ts'
import { createLmdbEventLog } from '../adapters/lmdb/lmdb-event-log.ts'
import { clicksOf } from '../ports/event-log.conformance.ts'
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
