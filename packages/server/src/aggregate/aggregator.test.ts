import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { createLmdbEventLog } from '../adapters/lmdb/lmdb-event-log.ts'
import { createMemoryHotStore } from '../adapters/memory/memory-hot-store.ts'
import { createSoleMember } from '../adapters/memory/sole-member.ts'
import { changedLog, clicksOf } from '../ports/event-log.conformance.ts'
import type { HotFlush } from '../ports/hot-store.ts'
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

/** Fills a cold store while more comes with each of the first `readings`, as where events are taken meanwhile. */
async function fillWhileMoreComes(readings: number) {
  const folder = await mkdtemp(join(tmpdir(), 'nowcast-aggregator-'))
  const log = createLmdbEventLog({ path: folder, partitions: 1 })
  await log.start()
  await log.append([clicksOf(50)])
  const clock = { now: Date.now }
  const memory = createMemoryHotStore(clock, log)
  /** Ends of the flushes after which the store answered. */
  const answering: number[] = []
  let left = readings
  const growing = changedLog(log, {
    async read(partition, from) {
      if (left-- > 0) await log.append([clicksOf(50)])
      return log.read(partition, from)
    },
  })
  const hotStore = {
    ...memory,
    async flush(flush: HotFlush) {
      const answer = await memory.flush(flush)
      if ((await memory.view()).completeSince < Number.POSITIVE_INFINITY) answering.push(flush.to)
      return answer
    },
  }
  const context = { log: growing, group: createSoleMember(log), hotStore, clock, telemetry: createTelemetry() }
  const aggregator = createAggregator(
    { ...context, coldStart: async () => ({ offset: 0, completeFrom: 0 }), logger: pino({ level: 'silent' }) },
    { duplicateOffsets: 100, duplicateMs: 60_000, flushMs: 0 },
  )
  await aggregator.start()
  await aggregator.caughtUp
  const { end } = await log.extent(0)
  left = 0
  await aggregator.stop()
  await log.stop()
  await rm(folder, { recursive: true })
  return { answeringFrom: answering[0], end }
}

test('a store that is being filled answers once it has what came meanwhile too', async () => {
  const { answeringFrom, end } = await fillWhileMoreComes(3)
  expect([answeringFrom, end]).toEqual([200, 200])
})

test('it does not wait for ever where events never end', async () => {
  const { answeringFrom } = await fillWhileMoreComes(Number.POSITIVE_INFINITY)
  expect(answeringFrom).toBeGreaterThanOrEqual(200)
})
