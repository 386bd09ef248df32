import { randomFillSync } from 'node:crypto'
import type { TotalAnswer } from '@nowcast/protocol'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { clickHouseFixture } from '../../packages/server/src/adapters/clickhouse/clickhouse.conformance.ts'
import type { LmdbEventLog } from '../../packages/server/src/adapters/lmdb/lmdb-event-log.ts'
import { NowcastError } from '../../packages/server/src/errors.ts'
import type { EventLog } from '../../packages/server/src/ports/event-log.ts'
import type { EventStore } from '../../packages/server/src/ports/event-store.ts'
import type { HotFlush, HotStore } from '../../packages/server/src/ports/hot-store.ts'
import { createQuery } from '../../packages/server/src/query/query.ts'
import type { RecordBatch } from '../../packages/server/src/record/record-batch.ts'
import { generateTraffic, type KnownBatch } from './harness/generated-traffic.ts'
import { seededRandom } from './harness/seeded-random.ts'
import {
  faultsProject,
  type PartsOptions,
  type ServerParts,
  startParts,
  sumOf,
  wrongFigures,
} from './harness/server-parts.ts'

const fixture = clickHouseFixture()
let parts: ServerParts | undefined
afterEach(async () => {
  await parts?.stop()
  parts = undefined
})
afterAll(() => fixture.cleanUp())

/** Batches of the last hours: what the hot store and the archive both count. */
function recentBatches(count: number, seed: number): KnownBatch[] {
  const nextBatch = generateTraffic({ random: seededRandom(seed), name: `seed-${seed}`, startedAt: Date.now() })
  const batches: KnownBatch[] = []
  while (batches.length < count) {
    const batch = nextBatch()
    if (batch.events.every(({ timestamp }) => timestamp > Date.now() - 86_400_000)) batches.push(batch)
  }
  return batches
}

/** Starts parts on a new log and a new archive. */
async function start(options: Partial<PartsOptions> = {}): Promise<ServerParts> {
  const eventStore = await fixture.store(await fixture.folder())
  parts = await startParts({ path: await fixture.folder(), eventStore, ...options })
  return parts
}

/** The log, read in another way. */
function readAs(log: LmdbEventLog, change: (batch: RecordBatch) => Partial<RecordBatch>): EventLog {
  return new Proxy(log, {
    get(target, name) {
      if (name !== 'read') return target[name as keyof LmdbEventLog]
      return async (partition: number, from: number) => {
        const slice = await target.read(partition, from)
        return slice && { ...slice, batch: { ...slice.batch, ...change(slice.batch) } }
      }
    },
  })
}

describe('stamping once', () => {
  /** Whoever reads an event tells its time, by the clock of the reader. */
  const stampedByReaders = (log: LmdbEventLog) => readAs(log, ({ time }) => ({ time: time.map(() => Date.now()) }))

  async function figuresOf(log: ((log: LmdbEventLog) => EventLog) | undefined): Promise<string[]> {
    const running = await start({ wrap: { log } })
    const batches = recentBatches(20, 7)
    await running.consume()
    for (const batch of batches) await running.accept(batch)
    await running.caughtUp()
    return wrongFigures(running, sumOf(batches))
  }

  test('with it, live and history agree on each minute', async () => {
    expect(await figuresOf(undefined)).toEqual([])
  })
  test('without it, they differ, and that is seen', async () => {
    expect(await figuresOf(stampedByReaders)).not.toEqual([])
  })
})

describe('the append', () => {
  /** Every third append fails, and writes nothing; every third does what it should, and its answer is lost. */
  function failing(log: LmdbEventLog): EventLog {
    let appends = 0
    return new Proxy(log, {
      get(target, name) {
        if (name !== 'append') return target[name as keyof LmdbEventLog]
        return async (batches: readonly (RecordBatch | undefined)[]) => {
          const turn = appends++ % 3
          if (turn !== 0) await target.append(batches)
          if (turn !== 2) throw new NowcastError('log_unavailable', 'the disk is full', { retryable: true })
        }
      },
    })
  }

  /** The answer leaves before it is known whether the events are durable. */
  function hasty(log: LmdbEventLog): EventLog {
    const failed = failing(log)
    return new Proxy(failed, {
      get(target, name) {
        if (name !== 'append') return target[name as keyof EventLog]
        return (batches: readonly (RecordBatch | undefined)[]) => target.append(batches).catch(() => {})
      },
    })
  }

  async function figuresAfterFailures(log: (log: LmdbEventLog) => EventLog): Promise<string[]> {
    const running = await start({ wrap: { log } })
    const batches = recentBatches(20, 8)
    await running.consume()
    for (const batch of batches) {
      for (let isTaken = false; !isTaken; ) {
        isTaken = await running.accept(batch).then(
          () => true,
          () => false,
        )
      }
    }
    await running.caughtUp()
    return wrongFigures(running, sumOf(batches))
  }

  test('with it, what was answered with 202 is in the log, however many appends fail', async () => {
    expect(await figuresAfterFailures(failing)).toEqual([])
  })
  test('without it, events that were acknowledged are missing, and that is seen', async () => {
    expect(await figuresAfterFailures(hasty)).not.toEqual([])
  })
})

describe('the fence of the hot store', () => {
  /** Each partition's first flushes are applied, but their answers are lost, as those of a store that restarts. */
  function losingAnswers(hotStore: HotStore): HotStore {
    let left = 3
    return {
      ...hotStore,
      async flush(flush) {
        const answer = await hotStore.flush(flush)
        if (flush.to > flush.from && left-- > 0) throw new Error('the answer was lost')
        return answer
      },
    }
  }

  async function applyAnyway(hotStore: HotStore, flush: HotFlush): Promise<void> {
    for (let applied = false; !applied; ) {
      const from = (await hotStore.fence(flush.epoch, flush.partition))?.offset as number
      ;({ applied } = await hotStore.flush({ ...flush, from }))
    }
  }

  /** Positions are kept beside the figures, where flushes were answered, and any flush is applied. */
  function withoutFence(hotStore: HotStore): HotStore {
    const answered: (number | undefined)[] = []
    return {
      ...hotStore,
      async fence(_epoch, partition) {
        const offset = answered[partition]
        return offset === undefined ? undefined : { offset, cuts: [] }
      },
      async begin(beginning) {
        answered[beginning.partition] = beginning.offset
        await hotStore.begin(beginning)
      },
      async flush(flush) {
        await applyAnyway(hotStore, flush)
        answered[flush.partition] = Math.max(answered[flush.partition] ?? 0, flush.to)
        return { applied: true }
      },
    }
  }

  /** As {@link withoutFence}, but the answers of the first flushes are lost before the position is noted. */
  function withoutFenceLosingAnswers(hotStore: HotStore): HotStore {
    const broken = withoutFence(hotStore)
    let left = 3
    return {
      ...broken,
      async flush(flush) {
        if (flush.to === flush.from || left-- <= 0) return broken.flush(flush)
        await applyAnyway(hotStore, flush)
        throw new Error('the answer was lost')
      },
    }
  }

  async function figuresAfterLostAnswers(hotStore: (hotStore: HotStore) => HotStore): Promise<string[]> {
    const running = await start({ wrap: { hotStore } })
    const batches = recentBatches(20, 1)
    for (const batch of batches.slice(0, 10)) await running.accept(batch)
    await running.consume()
    for (const batch of batches.slice(10)) await running.accept(batch)
    await running.caughtUp()
    return wrongFigures(running, sumOf(batches))
  }

  test('with it, flushes whose answers are lost count once', async () => {
    expect(await figuresAfterLostAnswers(losingAnswers)).toEqual([])
  })
  test('without it, they count twice, and that is seen', async () => {
    expect(await figuresAfterLostAnswers(withoutFenceLosingAnswers)).not.toEqual([])
  })

  async function figuresOfTwoOwners(hotStore: ((hotStore: HotStore) => HotStore) | undefined): Promise<string[]> {
    const running = await start({ wrap: { hotStore }, aggregators: 2 })
    const batches = recentBatches(30, 2)
    await running.consume()
    for (const batch of batches) await running.accept(batch)
    await running.caughtUp()
    return wrongFigures(running, sumOf(batches))
  }

  test('with it, two aggregators that both hold every partition count once', async () => {
    expect(await figuresOfTwoOwners(undefined)).toEqual([])
  })
  test('without it, two such aggregators count twice, and that is seen', async () => {
    expect(await figuresOfTwoOwners(withoutFence)).not.toEqual([])
  })
})

describe('the duplicate rule', () => {
  /** Every event seems to be a new one. */
  const freshIdentities = (log: LmdbEventLog) => readAs(log, ({ ids }) => ({ ids: randomFillSync(ids.slice()) }))

  async function figuresAfterRetries(log: ((log: LmdbEventLog) => EventLog) | undefined): Promise<string[]> {
    const running = await start({ wrap: { log } })
    const batches = recentBatches(20, 3)
    await running.consume()
    for (const [i, batch] of batches.entries()) {
      await running.accept(batch)
      // The answer was lost: the client sends the same again, at once or later.
      if (i % 3 === 0) await running.accept(batch)
      if (i > 5 && i % 5 === 0) await running.accept(batches[i - 5] as KnownBatch)
    }
    await running.caughtUp()
    return wrongFigures(running, sumOf(batches))
  }

  test('with it, batches that are sent again count once', async () => {
    expect(await figuresAfterRetries(undefined)).toEqual([])
  })
  test('without it, they count twice, and that is seen', async () => {
    expect(await figuresAfterRetries(freshIdentities)).not.toEqual([])
  })
})

describe('the resumption of the archive', () => {
  /** The first insert is torn: only a part of its rows lands, and the outcome is unknown. */
  function tearing(eventStore: EventStore): EventStore {
    let torn = false
    return {
      ...eventStore,
      async insert(rows) {
        if (torn) return eventStore.insert(rows)
        torn = true
        const lines = Buffer.from(rows).toString().trimEnd().split('\n')
        const landed = lines.filter((_, i) => i % 3 !== 0 || i === lines.length - 1)
        await eventStore.insert(Buffer.from(`${landed.join('\n')}\n`))
        throw new NowcastError('archive_unavailable', 'the engine was killed', { retryable: true })
      },
    }
  }

  async function figuresAfterTornInsert(broken: Partial<EventStore>): Promise<string[]> {
    const running = await start({ wrap: { eventStore: (eventStore) => ({ ...tearing(eventStore), ...broken }) } })
    const batches = recentBatches(20, 4)
    for (const batch of batches) await running.accept(batch)
    await running.consume()
    await running.caughtUp()
    return wrongFigures(running, sumOf(batches))
  }

  test('with it, a torn insert is mended', async () => {
    expect(await figuresAfterTornInsert({})).toEqual([])
  })
  test('without the repair of gaps, rows are missing, and that is seen', async () => {
    const allThere = async (_epoch: number, _partition: number, from: number, to: number) => [{ from, to }]
    expect(await figuresAfterTornInsert({ archivedRanges: allThere })).not.toEqual([])
  })
  test('without the frontier, rows stand there twice, and that is seen', async () => {
    expect(await figuresAfterTornInsert({ frontiers: async () => [] })).not.toEqual([])
  })
})

describe('one source for each minute', () => {
  /** The hot store says that it has all that ever was. */
  function boasting(hotStore: HotStore): HotStore {
    return { ...hotStore, view: async (options) => ({ ...(await hotStore.view(options)), completeSince: 0 }) }
  }

  /** Events of an hour ago, which a hot store that begins anew does not read, and events of now. */
  async function answeredAfterRestart(hotStore?: (hotStore: HotStore) => HotStore): Promise<[number, number]> {
    const eventStore = await fixture.store(await fixture.folder())
    const path = await fixture.folder()
    let receivedAt = Date.now() - 3_600_000
    const batches = recentBatches(20, 5)
    const open = async () => {
      parts = await startParts({ path, eventStore, wrap: { hotStore }, receivedAt: () => receivedAt })
      await parts.consume()
      return parts
    }
    const before = await open()
    for (const batch of batches.slice(0, 10)) await before.accept(batch)
    receivedAt = Date.now()
    for (const batch of batches.slice(10)) await before.accept(batch)
    await before.caughtUp()
    await before.stop()
    const running = await open()
    await running.caughtUp()
    const query = createQuery({ hotStore: running.hotStore, eventStore, clock: { now: () => Date.now() } })
    const asked = { kind: 'total', metric: 'events', range: { last: '24h' }, bots: true }
    const answer = await query.answer(asked, { project: faultsProject, filters: {}, metrics: undefined })
    return [(answer as TotalAnswer).v, sumOf(batches).events]
  }

  test('with what it lacks told, a hot store that began anew is asked for the rest only', async () => {
    const [answered, sent] = await answeredAfterRestart()
    expect(answered).toBe(sent)
  })
  test('without it, answers lack what came before, and that is seen', async () => {
    const [answered, sent] = await answeredAfterRestart(boasting)
    expect(answered).toBeLessThan(sent)
  })
})

describe('the epoch of the log', () => {
  /** Every log seems to be the same. */
  function ageless(log: LmdbEventLog): EventLog {
    return new Proxy(log, { get: (target, name) => (name === 'epoch' ? 1 : target[name as keyof LmdbEventLog]) })
  }

  async function figuresAfterAnotherLog(log: ((log: LmdbEventLog) => EventLog) | undefined): Promise<string[]> {
    const eventStore = await fixture.store(await fixture.folder())
    const batches = recentBatches(20, 6)
    const first = await start({ eventStore, wrap: { log } })
    for (const batch of batches.slice(0, 10)) await first.accept(batch)
    await first.consume()
    await first.caughtUp()
    await first.stop()
    // The folder of the log was lost; the archive was not.
    const second = await start({ eventStore, wrap: { log } })
    for (const batch of batches.slice(10)) await second.accept(batch)
    await second.consume()
    await second.caughtUp()
    const { rows, rollups } = await second.history()
    const expected = sumOf(batches)
    return [rows, rollups].filter(({ events }) => events !== expected.events).map(({ events }) => `${events} archived`)
  }

  test('with it, a log that takes the place of another is archived from its beginning', async () => {
    expect(await figuresAfterAnotherLog(undefined)).toEqual([])
  })
  test('without it, its first events are taken for archived, and that is seen', async () => {
    expect(await figuresAfterAnotherLog(ageless)).not.toEqual([])
  })
})
