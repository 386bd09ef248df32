import { expect, it } from 'vitest'
import { shownRows } from './shown-rows.ts'

const row = (key: string, v: number) => ({ key, v, share: 0 })
const rows = [row('DE', 3), row('US', 0), row('(other)', 0), row('FR', -1)]
const keysOf = (chosen: string[], of = rows) => shownRows(of, (key) => chosen.includes(key)).map(({ key }) => key)

it('values-without-any-of-the-metric-are-left-out', () => {
  expect(keysOf([])).toEqual(['DE', 'FR'])
})

it('the-value-that-is-filtered-by-stays', () => {
  expect(keysOf(['US'])).toEqual(['DE', 'US', 'FR'])
})

it('all-are-shown-where-none-has-any', () => {
  expect(keysOf([], [row('DE', 0), row('US', 0)])).toEqual(['DE', 'US'])
})
