import { describe, expect, it } from 'vitest'
import { comparedPoints, comparedRange } from './compared-series.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const hours = (from: number, count: number) => Array.from({ length: count }, (_, n) => ({ t: from + n * HOUR, v: n }))

describe('the-same-hour-of-the-day-before', () => {
  it('lies a day later', () => {
    const from = Date.UTC(2026, 5, 10)
    const points = comparedPoints(hours(from - DAY, 24), from, from + 23 * HOUR, 'day', 'Europe/Berlin')
    expect(points.map(({ t }) => t)).toEqual(hours(from, 24).map(({ t }) => t))
    expect(points[5]!.v).toBe(5)
  })

  it('also when the clocks changed in between', () => {
    // In Berlin the 29th of March 2026 begins at 23:00 UTC and has 23 hours; noon is 10:00 UTC, the day before 11:00.
    const noonBefore = Date.UTC(2026, 2, 28, 11)
    const noon = Date.UTC(2026, 2, 29, 10)
    const points = comparedPoints([{ t: noonBefore, v: 7 }], noon - HOUR, noon + HOUR, 'day', 'Europe/Berlin')
    expect(points).toEqual([{ t: noon, v: 7 }])
  })

  it('the question covers the points it is asked for, and stays the same within an hour', () => {
    const from = Date.UTC(2026, 5, 10, 8, 5)
    const range = comparedRange(from, from + DAY, 'week')
    if (!('from' in range)) throw new Error('a fixed range')
    expect(range.from).toBeLessThanOrEqual(from - 7 * DAY)
    expect(range.to).toBeGreaterThan(from + DAY - 7 * DAY)
    expect(comparedRange(from + 60_000, from + DAY + 60_000, 'week')).toEqual(range)
  })
})
