import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, expect, test } from 'vitest'
import { clickHouseFixture } from '../adapters/clickhouse/clickhouse.conformance.ts'
import { createLmdbEventLog } from '../adapters/lmdb/lmdb-event-log.ts'
import { createMemoryHotStore } from '../adapters/memory/memory-hot-store.ts'
import { createSoleMember } from '../adapters/memory/sole-member.ts'
import { createArchiver } from '../archive/archiver.ts'
import { clicksOf } from '../ports/event-log.conformance.ts'
import { createTelemetry } from '../telemetry.ts'
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
  const parts = { log, hotStore, eventStore, archivedTo: async () => [0], filled: async () => true }
  for (const range of [{}, { from: 0, to: Date.now() }])
    expect(await audit(parts, { duplicateOffsets: 1000, duplicateMs: 1000, ...range })).toEqual({
      ...{ minutes: 0, events: 0, rows: 0, offsets: 0, differences: [] },
    })
  await log.stop()
})

test('soon after a start it waits until the live figures are full, and then compares all of the log', async () => {
  const folder = await fixture.folder()
  const log = createLmdbEventLog({ path: join(folder, 'log'), partitions: 1 })
  await log.start()
  await log.append([clicksOf(20)])
  const eventStore = await fixture.store(join(folder, 'clickhouse'))
  const duplicates = { duplicateOffsets: 1000, duplicateMs: 60_000 }
  const context = { log, eventStore, group: createSoleMember(log), telemetry: createTelemetry() }
  const archiver = createArchiver({ ...context, logger: pino({ level: 'silent' }) }, duplicates)
  await archiver.start()
  const { epoch } = log
  const hotStore = createMemoryHotStore({ now: Date.now }, log)
  const parts = { log, hotStore, eventStore, archivedTo: async () => archiver.positions() }
  const fill = async () => {
    await hotStore.begin({ epoch, partition: 0, offset: 0, completeFrom: 0, target: 20 })
    return (await hotStore.flush({ epoch, partition: 0, from: 0, to: 20, minutes: [], seconds: [] })).applied
  }
  const { offsets, rows, differences } = await audit({ ...parts, filled: fill }, duplicates)
  expect({ offsets, rows }).toEqual({ offsets: 20, rows: 20 })
  // What was flushed here had no figures in it.
  expect(differences.map(({ what }) => what)).toEqual([expect.stringContaining('live and history')])
  await expect(audit({ ...parts, filled: async () => false }, duplicates)).rejects.toMatchObject({
    ...{ code: 'hot_store_unavailable', message: expect.stringContaining('still being filled') },
  })
  await archiver.stop()
  await log.stop()
})
