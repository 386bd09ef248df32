import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { createLmdbEventLog } from '../adapters/lmdb/lmdb-event-log.ts'
import { createMemoryHotStore } from '../adapters/memory/memory-hot-store.ts'
import { createTelemetry } from '../telemetry.ts'
import { createAggregator } from './aggregator.ts'

test('whoever waits until it has caught up goes on when it stops before', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nowcast-aggregator-'))
  const log = createLmdbEventLog({ path: folder, partitions: 2 })
  await log.start()
  // Gets no partition, as where the group is still being formed.
  const group = { sessionTimeoutMs: 0, aliveAt: 0, start: async () => {}, stop: async () => {}, commit: async () => {} }
  const clock = { now: Date.now }
  const hotStore = createMemoryHotStore(clock, { partitions: 2 })
  const coldStart = async () => ({ offset: 0, completeFrom: 0, target: 0 })
  const context = {
    log,
    group,
    hotStore,
    coldStart,
    clock,
    telemetry: createTelemetry(),
    logger: pino({ level: 'silent' }),
  }
  const aggregator = createAggregator(context, { duplicateOffsets: 100, duplicateMs: 1000 })
  await aggregator.start()
  await aggregator.stop()
  await expect(aggregator.caughtUp).resolves.toBeUndefined()
  await log.stop()
  await rm(folder, { recursive: true })
})
