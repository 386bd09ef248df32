import { expect, test } from 'vitest'
import { completeSinceOf, toGroupState } from './completeness.ts'

const NOW = Date.UTC(2026, 0, 15, 12, 30, 20)
const RECENT = Date.UTC(2026, 0, 15, 11)
const KEPT_SINCE = Date.UTC(2026, 0, 14, 11, 31)
/** Two partitions of the log 7, both filled. */
const FILLED = ['epoch', '7', 'revision', '99', '7:0', '10', '7:1', '20']
const BEGUN = ['7:0', '10 0', '7:1', '5 0']

const since = (...groups: [fence: string[], begun: string[]][]) =>
  completeSinceOf(
    groups.map(([fence, begun]) => toGroupState(fence, begun, NOW)),
    2,
  )

test('a filled store is complete for the 25 hours that minutes are kept, by the clock that they expire by', () => {
  expect(since([FILLED, BEGUN])).toBe(KEPT_SINCE)
})

test('an empty one is complete from never on', () => {
  expect(since([[], []])).toBe(Number.POSITIVE_INFINITY)
  expect(since([FILLED, BEGUN], [[], []])).toBe(Number.POSITIVE_INFINITY)
})

test('so is one in which a partition has not begun, or not reached its target', () => {
  expect(since([FILLED.slice(0, 6), BEGUN])).toBe(Number.POSITIVE_INFINITY)
  expect(since([FILLED, ['7:0', '11 0', '7:1', '5 0']])).toBe(Number.POSITIVE_INFINITY)
})

test('the latest beginning counts, of any partition, group and earlier log', () => {
  expect(since([FILLED, ['7:0', `10 ${RECENT}`, '7:1', '5 0']])).toBe(RECENT)
  expect(since([FILLED, BEGUN], [FILLED, ['7:0', '1 0', '7:1', `5 ${RECENT}`]])).toBe(RECENT)
  expect(since([FILLED, [...BEGUN, '3:0', `1 ${RECENT}`]])).toBe(RECENT)
})

test('groups that have begun with different logs are complete from never on', () => {
  const other = FILLED.map((text) => text.replace('7:', '8:').replace(/^7$/, '8'))
  const begun = BEGUN.map((text) => text.replace('7:', '8:'))
  expect(since([other, begun])).toBe(KEPT_SINCE)
  expect(since([FILLED, BEGUN], [other, begun])).toBe(Number.POSITIVE_INFINITY)
})
