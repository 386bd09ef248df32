import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { clickHouseFixture } from '../adapters/clickhouse/clickhouse.conformance.ts'
import { createLmdbEventLog } from '../adapters/lmdb/lmdb-event-log.ts'
import { createMemoryHotStore } from '../adapters/memory/memory-hot-store.ts'
import { audit } from './audit.ts'

const fixture = clickHouseFixture()
afterAll(() => fixture.cleanUp())

test('while the hot store is still being filled no minute of it is compared, and the archive is', async () => {
  const folder = await fixture.folder()
  const log = createLmdbEventLog({ path: join(folder, 'log'), partitions: 1 })
  await log.start()
  const hotStore = createMemoryHotStore({ now: Date.now }, { partitions: 1 })
  await hotStore.begin({ epoch: log.epoch, partition: 0, offset: 0, completeFrom: 0, target: 10 })
  expect((await hotStore.view()).completeSince).toBe(Number.POSITIVE_INFINITY)
  const eventStore = await fixture.store(join(folder, 'clickhouse'))
  const parts = { log, hotStore, eventStore, archivedTo: async () => [0] }
  for (const range of [{}, { from: 0, to: Date.now() }])
    expect(await audit(parts, { duplicateOffsets: 1000, duplicateMs: 1000, ...range })).toEqual({
      ...{ minutes: 0, events: 0, rows: 0, offsets: 0, differences: [] },
    })
  await log.stop()
})
