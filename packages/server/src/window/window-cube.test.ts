import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Cell, cellKey } from '../record/cell.ts'
import { HyperLogLog } from '../sketch/hyperloglog.ts'
import { RegisterUnion } from '../sketch/register-union.ts'
import type { CellDelta } from './minute-delta.ts'
import { joinSum } from './split-sum.ts'
import { MINUTE_MS, WindowCube } from './window-cube.ts'

const cellOf = (n: number): Cell => ({
  project: 'p',
  name: 'click',
  country: `C${n}`,
  device: 'mobile',
  category: '(none)',
  hot1: '',
  hot2: '',
  unconverted: '',
})

const delta = fc.record({
  minute: fc.nat(5),
  cell: fc.nat(6),
  events: fc.integer({ min: 1, max: 1000 }),
  // Sums of these leave the safe integers after a few additions.
  revenue: fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
  users: fc.array(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { maxLength: 6 }),
  seal: fc.boolean(),
})

/** The words of a user's hash. */
const hashOf = (user: number): [low: number, high: number] => [user, user ^ 0x5bd1e995]

function toCellDelta({
  cell,
  events,
  revenue,
  users,
}: {
  cell: number
  events: number
  revenue: number
  users: number[]
}): CellDelta {
  const refunds = revenue < 0 ? 1 : 0
  const hashes = users.flatMap(hashOf)
  return { cell: cellOf(cell), events, revenue, refunds, refundRevenue: refunds * revenue, users: hashes, sessions: [] }
}

test('counts and revenue are exact and users the same, however windows are sealed and opened again', () => {
  fc.assert(
    fc.property(fc.array(delta, { maxLength: 80 }), (deltas) => {
      const cube = new WindowCube()
      const expected = new Map<string, { events: number; revenue: bigint; refunds: bigint; users: HyperLogLog }>()
      for (const each of deltas) {
        cube.apply([{ project: 'p', minute: each.minute * MINUTE_MS, cells: [toCellDelta(each)] }], [], 0, 0)
        if (each.seal) cube.tidy(100 * MINUTE_MS, 0, 0)
        const key = `${each.minute} ${each.cell}`
        const sum = expected.get(key) ?? { events: 0, revenue: 0n, refunds: 0n, users: new HyperLogLog() }
        sum.events += each.events
        sum.revenue += BigInt(each.revenue)
        if (each.revenue < 0) sum.refunds += BigInt(each.revenue)
        for (const user of each.users) sum.users.add(...hashOf(user))
        expected.set(key, sum)
      }
      let seen = 0
      const windows = cube.projects.get('p')
      for (const [start, window] of windows?.minutes ?? []) {
        window.visit((id, events, high, low) => {
          seen++
          const cell = windows?.dictionary.cells[id] as Cell
          const sum = expected.get(`${start / MINUTE_MS} ${cell.country.slice(1)}`)
          expect(events).toBe(sum?.events)
          expect(joinSum(high, low)).toBe(sum?.revenue)
          const refunds = window.refunds.get(id)
          expect(refunds ? joinSum(refunds.revenueHigh, refunds.revenueLow) : 0n).toBe(sum?.refunds)
          const union = new RegisterUnion()
          const users = window.sketches('users')
          users.pour(Array.from(users.ids).indexOf(id), union)
          expect(union.estimate()).toBe(sum?.users.estimate())
        })
      }
      expect(seen).toBe(expected.size)
    }),
    { numRuns: 200 },
  )
})

test('ids of cells that nothing refers to are given to others, and the dictionary stays as small as what is kept', () => {
  const cube = new WindowCube()
  for (let minute = 0; minute < 200; minute++) {
    const cells = [0, 1, 2].map((n) => toCellDelta({ cell: minute * 3 + n, events: 1, revenue: 0, users: [] }))
    cube.apply([{ project: 'p', minute: minute * MINUTE_MS, cells }], [], 0, 0)
    cube.tidy(minute * MINUTE_MS, (minute - 4) * MINUTE_MS, MINUTE_MS)
  }
  const dictionary = cube.projects.get('p')?.dictionary
  expect(cube.projects.get('p')?.minutes.size).toBe(5)
  expect(dictionary?.cells.length).toBeLessThanOrEqual(18)
  expect(dictionary?.idOf(cellKey(cellOf(599)))).toBeDefined()
  expect(dictionary?.idOf(cellKey(cellOf(0)))).toBeUndefined()
})

test('a minute before the horizon is not revived', () => {
  const cube = new WindowCube()
  const cells = [toCellDelta({ cell: 1, events: 1, revenue: 0, users: [] })]
  cube.apply([{ project: 'p', minute: MINUTE_MS, cells }], [], 2 * MINUTE_MS, 0)
  expect(cube.projects.get('p')).toBeUndefined()
})

test('no later state has the number of an earlier one, whichever way minutes change', () => {
  const cube = new WindowCube()
  const content = {
    cell: cellOf(0),
    events: 1,
    revenue: 0n,
    refunds: 0,
    refundRevenue: 0n,
    users: undefined,
    sessions: undefined,
  }
  const set = (minute: number) => cube.set([{ project: 'p', minute, cells: [content] }], [], 0, 0)
  const revisions = [cube.revision]
  const then = (change: () => void) => {
    change()
    revisions.push(cube.revision)
  }
  for (let i = 0; i < 5; i++) then(() => set(i * MINUTE_MS))
  then(() => cube.forgetOldest())
  then(() => set(9 * MINUTE_MS))
  then(() => cube.apply([], [], 0, 0))
  expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b))
})
