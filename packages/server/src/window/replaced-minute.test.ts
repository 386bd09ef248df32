import fc from 'fast-check'
import { expect, test } from 'vitest'
import { contentsOf } from '../../test/hot-store/contents-of.ts'
import { flushOf, generatedLog, randomNumbers } from '../../test/hot-store/generated-log.ts'
import { type Cell, cellKey } from '../record/cell.ts'
import { HyperLogLog } from '../sketch/hyperloglog.ts'
import type { CellContent } from './minute-content.ts'
import { joinSum, splitSum } from './split-sum.ts'
import { MINUTE_MS, type ProjectWindows, WindowCube } from './window-cube.ts'

const NOW = Date.UTC(2026, 0, 15, 12, 30)

/** All cells of a window, as a store would tell them. */
function cellsOf({ minutes, dictionary }: ProjectWindows, minute: number): CellContent[] {
  const window = minutes.get(minute)
  const cells: CellContent[] = []
  window?.visit((id, events, high, low) => {
    const [users, sessions] = [new HyperLogLog(), new HyperLogLog()]
    for (const [kind, sketch] of [
      ['users', users],
      ['sessions', sessions],
    ] as const) {
      const { ids, pour } = window.sketches(kind)
      pour(Array.from(ids).indexOf(id), sketch)
    }
    const refunds = window.refunds.get(id)
    cells.push({
      cell: dictionary.cells[id] as Cell,
      events,
      revenue: joinSum(high, low),
      refunds: refunds?.events ?? 0,
      refundRevenue: refunds ? joinSum(refunds.revenueHigh, refunds.revenueLow) : 0n,
      users,
      sessions: sessions.isEmpty ? undefined : sessions,
    })
  })
  return cells
}

const viewOf = (cube: WindowCube) => ({ completeSince: 0, revision: cube.revision, projects: cube.projects })

test('a cube whose minutes are replaced by what another holds, in any order and again, holds the same', () => {
  fc.assert(
    fc.property(fc.integer(), fc.array(fc.nat(400), { minLength: 1, maxLength: 6 }), (seed, ends) => {
      const random = randomNumbers(seed)
      const log = generatedLog(400, NOW, random)
      const source = new WindowCube()
      const copy = new WindowCube()
      let from = 0
      for (const to of [...ends.sort((a, b) => a - b), 400]) {
        const { minutes } = flushOf(log, 0, from, to)
        from = to
        source.apply(minutes, [], 0, 0)
        const touched = [...minutes].sort(() => random() - 0.5)
        for (const { project, minute } of touched) {
          const cells = cellsOf(source.projects.get(project) as ProjectWindows, minute)
          copy.replaceMinute(project, minute, cells, random() < 0.5)
        }
      }
      expect(contentsOf(viewOf(copy))).toEqual(contentsOf(viewOf(source)))
    }),
    { numRuns: 30 },
  )
})

const contentOf = (country: string, events: number): CellContent => ({
  cell: {
    ...{ project: 'p', name: 'click', country, device: 'mobile', category: '(none)', hot1: '', hot2: '' },
    unconverted: '',
  },
  ...{ events, revenue: 0n, refunds: 0, refundRevenue: 0n, users: undefined, sessions: undefined },
})

test('cells keep their ids when a minute is replaced, and those that are gone are released', () => {
  const cube = new WindowCube()
  cube.replaceMinute('p', MINUTE_MS, [contentOf('US', 1), contentOf('DE', 1)], true)
  const { dictionary, minutes } = cube.projects.get('p') as ProjectWindows
  const id = dictionary.idOf(cellKey(contentOf('US', 1).cell))
  const { revision } = minutes.get(MINUTE_MS) ?? { revision: 0 }
  expect(minutes.get(MINUTE_MS)?.isSealed).toBe(true)
  cube.replaceMinute('p', MINUTE_MS, [contentOf('US', 2)], false)
  expect(minutes.get(MINUTE_MS)?.revision).toBeGreaterThan(revision)
  expect(minutes.get(MINUTE_MS)?.isSealed).toBe(false)
  expect(dictionary.idOf(cellKey(contentOf('US', 1).cell))).toBe(id)
  expect(dictionary.idOf(cellKey(contentOf('DE', 1).cell))).toBeUndefined()
  cube.replaceMinute('p', MINUTE_MS, [], false)
  expect(minutes.size).toBe(0)
  expect(dictionary.idOf(cellKey(contentOf('US', 1).cell))).toBeUndefined()
})

test('a second is replaced, and forgotten like those that were added', () => {
  const cube = new WindowCube()
  cube.replaceSecond('p', 1000, [contentOf('US', 3), contentOf('DE', 1)])
  cube.replaceSecond('p', 1000, [contentOf('US', 4)])
  const { dictionary, seconds } = cube.projects.get('p') as ProjectWindows
  const id = dictionary.idOf(cellKey(contentOf('US', 1).cell)) as number
  expect([...(seconds.get(1000) ?? [])]).toEqual([[id, 4]])
  cube.tidy(100_000, 0, 0)
  expect(seconds.size).toBe(0)
  expect(dictionary.idOf(cellKey(contentOf('US', 1).cell))).toBeUndefined()
})

test('any sum survives its halves', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), (sum) => {
      const { revenueHigh, revenueLow } = splitSum(sum)
      expect(joinSum(revenueHigh, revenueLow)).toBe(sum)
    }),
  )
})
