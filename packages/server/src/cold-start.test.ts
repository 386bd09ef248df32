import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLmdbEventLog, type LmdbEventLog } from './adapters/lmdb/lmdb-event-log.ts'
import { createColdStart } from './cold-start.ts'
import { batchOf } from './ports/event-log.conformance.ts'
import type { EventStore, Frontier } from './ports/event-store.ts'

const MINUTE_MS = 60_000
let dir: string
let log: LmdbEventLog

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'nowcast-cold-'))
  log = createLmdbEventLog({ path: dir, partitions: 1 })
  await log.start()
  // Ten blocks of one event, received at minutes 0 to 9.
  for (let n = 0; n < 10; n++) await log.append([batchOf(0, 1, n * MINUTE_MS)])
})
afterEach(async () => {
  await log.stop()
  await rm(dir, { recursive: true })
})

/** What the archive says of itself. */
function archive(frontiers: Frontier[], hasOtherEpochs = false) {
  return { frontiers: async () => frontiers, hasOtherEpochs: async () => hasOtherEpochs } as Pick<
    EventStore,
    'frontiers' | 'hasOtherEpochs'
  > as EventStore
}

const start = (store: EventStore) => createColdStart(log, store, () => 20 * MINUTE_MS)(0)

test('without an archive the whole log is read and nothing is lacking', async () => {
  expect(await start(archive([]))).toEqual({ offset: 0, completeFrom: 0 })
})

test('a short archive is within reach of the whole log', async () => {
  expect(await start(archive([{ partition: 0, offset: 3, receivedAt: 3 * MINUTE_MS, retiredTo: 0 }]))).toEqual({
    offset: 0,
    completeFrom: 0,
  })
})

test('seven minutes before what is archived it begins, and is complete five minutes after that', async () => {
  const { offset, completeFrom } = await start(
    archive([{ partition: 0, offset: 9, receivedAt: 9 * MINUTE_MS, retiredTo: 0 }]),
  )
  expect(offset).toBe(2)
  expect(completeFrom).toBe(7 * MINUTE_MS)
})

test('a log that was cut is complete five minutes after its first event', async () => {
  await log.trim(0, 8, 8)
  const { offset, completeFrom } = await start(
    archive([{ partition: 0, offset: 9, receivedAt: 9 * MINUTE_MS, retiredTo: 0 }]),
  )
  expect(offset).toBe(8)
  expect(completeFrom).toBe(13 * MINUTE_MS)
})

test('a new log beside an older archive knows only its own time', async () => {
  const { offset, completeFrom } = await start(archive([], true))
  expect(offset).toBe(0)
  expect(completeFrom).toBe(5 * MINUTE_MS)
})
