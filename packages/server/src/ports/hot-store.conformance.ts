import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Cell, cellKey } from '../record/cell.ts'
import { HyperLogLog } from '../sketch/hyperloglog.ts'
import type { CellContent } from '../window/minute-content.ts'
import { joinSum } from '../window/split-sum.ts'
import type { Beginning, HotFlush, HotSet, HotStore } from './hot-store.ts'

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

    test('a flush of very many cells is taken', async () => {
      await beginBoth()
      const cells = Array.from({ length: 25_000 }, (_, n) => ({
        ...{ cell: { ...CELL, category: `category ${n}` }, events: 1, revenue: 5, refunds: 0, refundRevenue: 0 },
        ...{ users: [n, n + 1], sessions: [] },
      }))
      const minutes = [{ project: 'p', minute, cells }]
      const flush = { epoch: EPOCH, partition: 0, from: 0, to: cells.length, minutes, seconds: [] }
      expect(await store.flush(flush)).toEqual({ applied: true })
      expect(await totals()).toEqual({ events: 25_000, revenue: 125_000n })
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

    test('a flush may set the target anew', async () => {
      await begin(0, 0, { target: 4, completeFrom: minute })
      await begin(1, 0)
      await store.flush({ ...flushOf(0, 0, 4), target: 8 })
      expect((await store.view()).completeSince).toBe(Number.POSITIVE_INFINITY)
      await store.flush(flushOf(0, 4, 6))
      expect((await store.view()).completeSince).toBe(Number.POSITIVE_INFINITY)
      await store.flush(flushOf(0, 6, 9))
      expect((await store.view()).completeSince).toBe(minute)
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

    const sketchOf = (...registers: number[]) => {
      const sketch = new HyperLogLog()
      for (const register of registers) sketch.addRegister(register, 3)
      return sketch
    }
    const contentOf = (events: number, more: Partial<CellContent> = {}): CellContent => ({
      cell: CELL,
      events,
      revenue: BigInt(events) * 5n,
      refunds: 0,
      refundRevenue: 0n,
      users: sketchOf(events),
      sessions: undefined,
      ...more,
    })
    const setOf = (from: number, to: number, cells: CellContent[], more: Partial<HotSet> = {}): HotSet => ({
      ...{ epoch: EPOCH, partition: 0, from, to, seconds: [] },
      minutes: [{ project: 'p', minute, cells }],
      ...more,
    })

    test('what is set takes the place of what a cell held, and other cells keep theirs', async () => {
      await beginBoth()
      const other = contentOf(2, { cell: { ...CELL, country: 'DE' }, refunds: 1, refundRevenue: -7n })
      const first = contentOf(9, { refunds: 2, refundRevenue: -30n, sessions: sketchOf(1, 2, 3) })
      expect(await store.set(setOf(0, 4, [first, other]))).toEqual({ applied: true })
      // Lower than before, and more than a double can hold exactly.
      const second = contentOf(7, { revenue: 2n ** 70n + 1n, users: sketchOf(10, 20), sessions: sketchOf(4) })
      expect(await store.set(setOf(4, 6, [second]))).toEqual({ applied: true })
      expect(await totals()).toEqual({ events: 9, revenue: 2n ** 70n + 11n })
      const windows = (await store.view()).projects.get('p')
      const window = windows?.minutes.get(minute)
      const idOf = (cell: Cell) => windows?.dictionary.idOf(cellKey(cell)) as number
      expect(window?.refunds.has(idOf(CELL))).toBe(false)
      expect(window?.refunds.get(idOf(other.cell))?.events).toBe(1)
      const registersOf = (kind: 'users' | 'sessions') => {
        const sketch = new HyperLogLog()
        const sketches = window?.sketches(kind)
        for (const [place, id] of Array.from(sketches?.ids ?? []).entries()) {
          if (id === idOf(CELL)) sketches?.pour(place, sketch)
        }
        return sketch.toDense()
      }
      expect([registersOf('users'), registersOf('sessions')]).toEqual([
        sketchOf(10, 20).toDense(),
        sketchOf(4).toDense(),
      ])
    })

    test('events of a second are set, not added', async () => {
      await beginBoth()
      const second = fixture.now() - (fixture.now() % 1000)
      for (const [i, events] of [5, 3].entries()) {
        await store.set(setOf(i, i + 1, [], { seconds: [{ second, cell: CELL, events }] }))
      }
      const counts = (await store.view()).projects.get('p')?.seconds.get(second)
      expect([...(counts?.values() ?? [])]).toEqual([3])
    })

    test('what is set stands behind the same fence: applied once, refused where the fence is elsewhere', async () => {
      await beginBoth()
      await store.set(setOf(0, 4, [contentOf(9)]))
      expect(await store.set(setOf(0, 4, [contentOf(1)]))).toEqual({ applied: false, fence: 4 })
      expect(await store.set(setOf(5, 6, [contentOf(1)]))).toEqual({ applied: false, fence: 4 })
      expect(await store.set(setOf(0, 1, [contentOf(1)], { epoch: 8 }))).toEqual({ applied: false, fence: undefined })
      expect((await totals())?.events).toBe(9)
      expect(await fenceOf(0)).toBe(4)
    })

    test('a minute that has expired is not begun again by what is set', async () => {
      await beginBoth()
      const old = minute - 26 * 60 * MINUTE_MS
      const late = minute - 23 * 60 * MINUTE_MS
      const minutes = [old, late].map((each) => ({ project: 'p', minute: each, cells: [contentOf(3)] }))
      await store.set(setOf(0, 1, [], { minutes }))
      expect(await totals(old)).toBeUndefined()
      expect((await totals(late))?.events).toBe(3)
    })

    test('a target can be set anew: until the fence is there nothing is complete', async () => {
      await beginBoth()
      await store.set(
        setOf(0, 4, [contentOf(1)], { target: Number.MAX_SAFE_INTEGER, completeFrom: minute - MINUTE_MS }),
      )
      expect((await store.view()).completeSince).toBe(Number.POSITIVE_INFINITY)
      await store.set(setOf(4, 6, [contentOf(2)]))
      expect((await store.view()).completeSince).toBe(Number.POSITIVE_INFINITY)
      await store.set(setOf(6, 8, [contentOf(3)], { target: 8 }))
      expect((await store.view()).completeSince).toBe(minute - MINUTE_MS)
    })

    test('tells up to where the events of another log are counted, in the same step', async () => {
      await beginBoth()
      const reached = [
        { epoch: 20, partition: 0, offset: 100 },
        { epoch: 20, partition: 5, offset: 7 },
      ]
      await store.set(setOf(0, 4, [contentOf(1)], { reached }))
      await store.set(setOf(0, 4, [contentOf(1)], { reached: [{ epoch: 20, partition: 0, offset: 999 }] }))
      expect([await fenceOf(0, 20), await fenceOf(5, 20), await fenceOf(1, 20)]).toEqual([100, 7, undefined])
      expect((await store.view()).completeSince).toBeLessThan(minute)
    })
  })
}
