import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Cell } from '../record/cell.ts'
import { joinSum } from '../window/split-sum.ts'
import type { Beginning, HotFlush, HotStore } from './hot-store.ts'

const MINUTE_MS = 60_000
const EPOCH = 7

export interface HotStoreFixture {
  /** A store for two partitions. */
  store: HotStore
  /** The store's time, epoch ms. */
  now(): number
  cleanUp(): Promise<void>
}

const CELL: Cell = {
  project: 'p',
  name: 'purchase',
  country: 'US',
  device: 'mobile',
  category: '(none)',
  hot1: '',
  hot2: '',
  unconverted: '',
}

/** What every {@link HotStore} must do. */
export function hotStoreConformance(name: string, makeFixture: () => Promise<HotStoreFixture>): void {
  describe(`${name} keeps the promises of a hot store`, () => {
    let fixture: HotStoreFixture
    let store: HotStore
    let minute: number
    beforeEach(async () => {
      fixture = await makeFixture()
      store = fixture.store
      await store.start()
      minute = Math.floor(fixture.now() / MINUTE_MS) * MINUTE_MS
    })
    afterEach(async () => {
      await store.stop()
      await fixture.cleanUp()
    })

    const flushOf = (partition: number, from: number, to: number, at = minute): HotFlush => ({
      epoch: EPOCH,
      partition,
      from,
      to,
      minutes: [
        {
          project: 'p',
          minute: at,
          cells: [
            {
              cell: CELL,
              events: to - from,
              revenue: (to - from) * 5,
              refunds: 0,
              refundRevenue: 0,
              users: [1, 2],
              sessions: [],
            },
          ],
        },
      ],
      seconds: [],
    })

    async function totals(at = minute): Promise<{ events: number; revenue: bigint } | undefined> {
      const window = (await store.view()).projects.get('p')?.minutes.get(at)
      if (!window) return undefined
      const sum = { events: 0, revenue: 0n }
      window.visit((_id, events, high, low) => {
        sum.events += events
        sum.revenue += joinSum(high, low)
      })
      return sum
    }

    const begin = (partition: number, offset: number, more: Partial<Beginning> = {}) =>
      store.begin({ epoch: EPOCH, partition, offset, completeFrom: 0, target: offset, ...more })

    const fenceOf = async (partition: number, epoch = EPOCH) => (await store.fence(epoch, partition))?.offset

    async function beginBoth(): Promise<void> {
      for (const partition of [0, 1]) {
        await begin(partition, 0)
      }
    }

    test('a flush is applied once: the same again changes nothing and tells where the fence is', async () => {
      await beginBoth()
      expect(await store.flush(flushOf(0, 0, 10))).toEqual({ applied: true })
      expect(await store.flush(flushOf(0, 0, 10))).toEqual({ applied: false, fence: 10 })
      expect(await totals()).toEqual({ events: 10, revenue: 50n })
      expect(await store.fence(EPOCH, 0)).toEqual({ offset: 10, cuts: [] })
    })

    test('a flush that leaves a gap is refused', async () => {
      await beginBoth()
      expect(await store.flush(flushOf(0, 5, 10))).toEqual({ applied: false, fence: 0 })
      expect(await totals()).toBeUndefined()
    })

    test('partitions have fences of their own and add up in a minute', async () => {
      await beginBoth()
      await store.flush(flushOf(0, 0, 10))
      await store.flush(flushOf(1, 0, 7))
      expect([await fenceOf(0), await fenceOf(1)]).toEqual([10, 7])
      expect(await totals()).toEqual({ events: 17, revenue: 85n })
    })

    test('a cold store has no fence and is complete only when every partition has reached its target', async () => {
      expect(await fenceOf(0)).toBeUndefined()
      expect(await store.flush(flushOf(0, 0, 1))).toEqual({ applied: false, fence: undefined })
      await begin(0, 100, { completeFrom: minute - 30 * MINUTE_MS + 1, target: 101 })
      expect((await store.view()).completeSince).toBe(Number.POSITIVE_INFINITY)
      await begin(1, 0)
      expect((await store.view()).completeSince).toBe(Number.POSITIVE_INFINITY)
      expect(await store.flush(flushOf(0, 100, 101))).toEqual({ applied: true })
      expect((await store.view()).completeSince).toBe(minute - 29 * MINUTE_MS)
    })

    test('a partition that is not cold keeps its fence, whoever begins it again', async () => {
      await beginBoth()
      await store.flush(flushOf(0, 0, 10))
      await begin(0, 3, { completeFrom: minute, target: 20 })
      expect(await fenceOf(0)).toBe(10)
      expect((await store.view()).completeSince).toBeLessThan(minute)
    })

    test('another log’s partitions are cold and have fences of their own, while those of the first stay', async () => {
      await beginBoth()
      await store.flush(flushOf(0, 0, 10))
      expect(await fenceOf(0, 8)).toBeUndefined()
      await begin(0, 5, { epoch: 8, completeFrom: minute })
      expect((await store.view()).completeSince).toBe(Number.POSITIVE_INFINITY)
      await begin(1, 0, { epoch: 8 })
      expect((await store.view()).completeSince).toBe(minute)
      expect(await store.flush({ ...flushOf(0, 5, 6), epoch: 8 })).toEqual({ applied: true })
      expect(await store.flush(flushOf(0, 5, 6))).toEqual({ applied: false, fence: 10 })
      expect(await totals()).toEqual({ events: 11, revenue: 55n })
    })

    test('a flush that passes over lost events says from when on minutes are complete', async () => {
      await beginBoth()
      await store.flush({ ...flushOf(0, 0, 10), completeFrom: minute - 5 * MINUTE_MS + 1 })
      expect((await store.view()).completeSince).toBe(minute - 4 * MINUTE_MS)
    })

    test('late events land in their own minute; one that is too old is left to the archive', async () => {
      await beginBoth()
      const late = minute - 23 * 60 * MINUTE_MS
      const old = minute - 26 * 60 * MINUTE_MS
      await store.flush(flushOf(0, 0, 1, late))
      await store.flush(flushOf(0, 1, 2, old))
      expect(await totals(late)).toEqual({ events: 1, revenue: 5n })
      expect(await totals(old)).toBeUndefined()
      expect(await fenceOf(0)).toBe(2)
    })

    test('every applied flush makes the view’s revision and that of the minute grow', async () => {
      await beginBoth()
      await store.flush(flushOf(0, 0, 1))
      const first = await store.view()
      const window = first.projects.get('p')?.minutes.get(minute)
      const before = [first.revision, window?.revision ?? 0]
      await store.flush(flushOf(0, 1, 2))
      const after = await store.view()
      expect(after.revision).toBeGreaterThan(before[0] as number)
      expect(after.projects.get('p')?.minutes.get(minute)?.revision).toBeGreaterThan(before[1] as number)
    })
  })
}
