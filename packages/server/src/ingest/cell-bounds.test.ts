import { expect, test } from 'vitest'
import type { Cell } from '../record/cell.ts'
import { createCellBounds } from './cell-bounds.ts'

const DAY_MS = 86_400_000
const cell = (part: Partial<Cell>): Cell => ({
  project: 'p',
  name: 'page_view',
  country: 'US',
  device: 'mobile',
  category: '(none)',
  hot1: '',
  hot2: '',
  unconverted: '',
  ...part,
})

test('equal values are one cell', () => {
  const bounds = createCellBounds({ now: () => 0 })
  expect(bounds.cellOf(cell({ category: 'shoes' }))).toBe(bounds.cellOf(cell({ category: 'shoes' })))
  expect(bounds.cellOf(cell({ category: 'shoes' }))).not.toBe(bounds.cellOf(cell({ project: 'q', category: 'shoes' })))
})

test('values beyond a dimension’s bound are (other), those known stay, and projects do not share the bound', () => {
  const bounds = createCellBounds({ now: () => 0 }, { valuesPerDimension: 3 })
  for (const n of [1, 2, 3]) expect(bounds.cellOf(cell({ category: `c${n}` })).category).toBe(`c${n}`)
  expect(bounds.cellOf(cell({ category: 'c4' })).category).toBe('(other)')
  expect(bounds.cellOf(cell({ category: 'c1' })).category).toBe('c1')
  expect(bounds.cellOf(cell({ category: '(none)' })).category).toBe('(none)')
  expect(bounds.cellOf(cell({ project: 'q', category: 'c4' })).category).toBe('c4')
})

test('a flood of combinations ends in a bounded number of cells, whose standard names stay', () => {
  const bounds = createCellBounds({ now: () => 0 }, { cellsPerProject: 50 })
  const cells = new Set<Cell>()
  for (let n = 0; n < 20_000; n++) {
    const folded = bounds.cellOf(cell({ name: n % 2 ? 'purchase' : `n${n}`, category: `c${n}`, country: `${n % 300}` }))
    if (n % 2) expect(folded.name).toBe('purchase')
    cells.add(folded)
  }
  expect(cells.size).toBeLessThan(110)
  expect(bounds.folded).toBeGreaterThan(19_000)
})

test('a new day begins with fresh bounds', () => {
  let now = 0
  const bounds = createCellBounds({ now: () => now }, { valuesPerDimension: 1 })
  bounds.cellOf(cell({ category: 'a' }))
  expect(bounds.cellOf(cell({ category: 'b' })).category).toBe('(other)')
  now = DAY_MS
  expect(bounds.cellOf(cell({ category: 'c' })).category).toBe('c')
})
