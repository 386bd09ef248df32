import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitRange } from './split-range.ts'

const MINUTE = 60_000
const NOW = 1000 * MINUTE + 30_000

test('the parts are the range: no gap, no overlap, the hot part in whole minutes', () => {
  fc.assert(
    fc.property(
      fc.nat(NOW + 5 * MINUTE),
      fc.nat(100 * MINUTE),
      fc.oneof(fc.nat(1100), fc.constant(Number.POSITIVE_INFINITY)),
      (from, length, hotMinute) => {
        const range = { from, to: from + length }
        const { archived, hot } = splitRange(range, hotMinute * MINUTE, NOW)
        const parts = [...archived, ...(hot.from < hot.to ? [hot] : [])].sort((a, b) => a.from - b.from)
        let at = from
        for (const part of parts) {
          expect(part.from).toBe(at)
          expect(part.to).toBeGreaterThan(part.from)
          at = part.to
        }
        expect(at).toBe(range.to)
        if (hot.from >= hot.to) return
        expect(hot.from % MINUTE).toBe(0)
        expect(hot.from).toBeGreaterThanOrEqual(hotMinute * MINUTE)
        if (hot.to % MINUTE !== 0) expect(hot.to).toBe(range.to)
      },
    ),
  )
})

test('minutes that an old range cuts are the archive’s, the end of just now is not cut', () => {
  const cut = { from: 10 * MINUTE + 1, to: 20 * MINUTE + 1 }
  expect(splitRange(cut, 0, NOW)).toEqual({
    archived: [
      { from: 10 * MINUTE + 1, to: 11 * MINUTE },
      { from: 20 * MINUTE, to: 20 * MINUTE + 1 },
    ],
    hot: { from: 11 * MINUTE, to: 20 * MINUTE },
  })
  expect(splitRange({ from: 10 * MINUTE, to: NOW - 1000 }, 0, NOW).archived).toEqual([])
  expect(splitRange({ from: 10 * MINUTE + 1, to: 10 * MINUTE + 2 }, 0, NOW).archived).toHaveLength(1)
})
