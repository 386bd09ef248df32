import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLmdbEventLog, type LmdbEventLog } from '../../packages/server/src/adapters/lmdb/lmdb-event-log.ts'
import { createLogTrimmer } from '../../packages/server/src/archive/log-trimmer.ts'
import { createColdStart } from '../../packages/server/src/cold-start.ts'
import { createLogReader } from '../../packages/server/src/consume/log-reader.ts'
import type { EventStore } from '../../packages/server/src/ports/event-store.ts'
import { RecordBatchBuilder } from '../../packages/server/src/record/record-batch-builder.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const RETENTION_MS = HOUR_MS
const DUPLICATES = { duplicateOffsets: 1_000_000, duplicateMs: 24 * HOUR_MS }
const CELL = {
  ...{ project: 'p', name: 'click', country: 'US', device: 'mobile', category: '(none)' },
  ...{ hot1: '', hot2: '', unconverted: '' },
}
const START = Date.UTC(2026, 0, 15)

let path: string
let log: LmdbEventLog
let now: number
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'nowcast-log-'))
  log = createLmdbEventLog({ path, partitions: 1, tailBytes: 0 })
  await log.start()
  now = START
})
afterEach(async () => {
  await log.stop()
  await rm(path, { recursive: true, force: true })
})

/** Appends one block of events received now. */
async function append(...ids: number[]): Promise<void> {
  const builder = new RecordBatchBuilder()
  for (const id of ids) {
    builder.ids.fill(id, builder.count * 3, builder.count * 3 + 3)
    builder.add({ key: 'p:u', receivedAt: now, time: now, revenue: undefined, cell: CELL, row: '{}' })
  }
  await log.append([builder.finish()])
}

/** Deletes what a server that has consumed everything below `consumed` does not need. */
async function trim(consumed: number, maxBytes = 2 ** 40): Promise<void> {
  const trimmer = createLogTrimmer(
    {
      ...{ log, clock: { now: () => now }, logger: pino({ level: 'silent' }) },
      ...{ archivedTo: () => [consumed], aggregatedTo: () => [consumed] },
    },
    { retentionMs: RETENTION_MS, maxBytes, ...DUPLICATES },
  )
  await trimmer.trim()
}

async function end(): Promise<number> {
  return (await log.extent(0)).end
}

test('a repeat of an event that was trimmed from the log is still known after a restart', async () => {
  await append(1, 2, 3)
  for (let id = 100; id < 30_100; id += 100) {
    now += MINUTE_MS
    await append(...Array.from({ length: 100 }, (_, i) => id + i))
    await trim(await end())
  }
  expect((await log.extent(0)).start).toBeGreaterThan(20_000)
  const from = await end()
  await append(2, 100, 50_000)
  const reader = createLogReader(log, { partition: 0, ...DUPLICATES })
  await reader.seek(from)
  expect([...((await reader.next())?.excluded ?? [])]).toEqual([1, 1, 0])
})

test('identities older than the duplicate rule looks back are trimmed', async () => {
  await append(1, 2, 3)
  now += RETENTION_MS + DUPLICATES.duplicateMs + MINUTE_MS
  for (let id = 100; id < 110; id++) await append(id)
  await trim(await end())
  now += 2 * RETENTION_MS
  await append(200)
  await trim(await end())
  const { identityStart } = await log.extent(0)
  expect(identityStart).toBeGreaterThanOrEqual(3)
})

test('identities that events need which nobody has read yet stay, however long they have waited', async () => {
  await append(1, 2, 3)
  now += HOUR_MS
  await append(2)
  // One of the consumers has stood still before that for days.
  now += 3 * DUPLICATES.duplicateMs
  await append(9)
  await trim(3)
  expect((await log.extent(0)).start).toBe(3)
  const reader = createLogReader(log, { partition: 0, ...DUPLICATES })
  await reader.seek(3)
  expect([...((await reader.next())?.excluded ?? [])]).toEqual([1])
})

test('trimming keeps up with any number of small blocks', async () => {
  for (let id = 0; id < 12_000; id++) await append(id)
  now += 2 * RETENTION_MS
  await append(20_000)
  await trim(await end())
  expect((await log.extent(0)).start).toBe(12_000)
})

test('a cold start after trimming close to what is archived claims no minute that it lacks events of', async () => {
  // A log that is nearly full is trimmed to what is consumed, whatever its age.
  for (let id = 0; id < 60; id++) {
    await append(...Array.from({ length: 100 }, (_, i) => id * 100 + i))
    now += 1000
  }
  await trim(3050, 1)
  const { start } = await log.extent(0)
  const frontier = { partition: 0, offset: 5999, receivedAt: now - 1000 }
  const eventStore = { frontiers: async () => [frontier], hasOtherEpochs: async () => false } as unknown as EventStore
  const cold = await createColdStart(log, eventStore, () => now)(0)
  expect(cold.offset).toBe(start)
  // The last event that is gone was received one second before the first that is left, and may lie five minutes ahead.
  expect(cold.completeFrom).toBeGreaterThanOrEqual(START + (start / 100 - 1) * 1000 + 5 * MINUTE_MS)
})

test('a cold start that could not ask the archive asks again', async () => {
  await append(1)
  let asked = 0
  const answer = async <T>(value: T): Promise<T> => {
    if (asked++ < 2) throw new Error('the engine is starting again')
    return value
  }
  const eventStore = { frontiers: () => answer([]), hasOtherEpochs: () => answer(false) } as unknown as EventStore
  const coldStart = createColdStart(log, eventStore, () => now)
  const unheard: unknown[] = []
  const listen = (error: unknown) => unheard.push(error)
  process.on('unhandledRejection', listen)
  await expect(coldStart(0)).rejects.toThrow('starting again')
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', listen)
  expect(unheard).toEqual([])
  expect(await coldStart(0)).toEqual({ offset: 0, completeFrom: 0 })
})
