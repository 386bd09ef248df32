import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { afterAll, expect, test } from 'vitest'
import { clickHouseFixture } from '../adapters/clickhouse/clickhouse.conformance.ts'
import { createLmdbEventLog } from '../adapters/lmdb/lmdb-event-log.ts'
import { murmur3 } from '../record/murmur3.ts'
import { RecordBatchBuilder } from '../record/record-batch-builder.ts'
import { createTelemetry } from '../telemetry.ts'
import { createArchiver } from './archiver.ts'

const clickHouse = clickHouseFixture()
afterAll(() => clickHouse.cleanUp())

const CELL = { project: 'p', name: 'click', country: 'US', device: 'mobile', category: '(none)' }

function eventsOf(count: number) {
  const builder = new RecordBatchBuilder()
  for (let n = 0; n < count; n++) {
    const id = `id-${n}`
    const row = JSON.stringify({ project: 'p', id, name: 'click', ts: Date.now(), received_at: Date.now() })
    murmur3(id, 0, builder.ids, builder.count * 3)
    const cell = { ...CELL, hot1: '', hot2: '', unconverted: '' }
    builder.add({ key: id, receivedAt: Date.now(), time: Date.now(), revenue: undefined, cell, row })
  }
  return builder.finish()
}

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
  await log.append([eventsOf(10)])
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
