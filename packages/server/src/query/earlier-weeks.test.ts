import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bucketsOf } from './buckets.ts'
import { weeksEarlier } from './earlier-weeks.ts'

const local = (timezone: string, at: number) =>
  new Date(at).toLocaleString('sv-SE', { timeZone: timezone, weekday: 'long', hour: '2-digit', minute: '2-digit' })

test('earlier buckets show the same weekday and time on the zone’s clocks', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kolkata', 'Australia/Lord_Howe', 'America/New_York'),
      fc.constantFrom('minute' as const, 'hour' as const, 'day' as const),
      fc.integer({ min: Date.UTC(2024, 0), max: Date.UTC(2026, 0) }),
      fc.integer({ min: 1, max: 10 }),
      (timezone, granularity, from, weeks) => {
        const buckets = bucketsOf({ from, to: from + 40 * 60_000 }, granularity, timezone)
        const starts = weeksEarlier(buckets, weeks, granularity, timezone)
        expect(starts).toHaveLength(buckets.length)
        for (const [i, start] of starts.entries()) {
          const bucket = buckets[i]?.from ?? 0
          expect(Math.abs(bucket - start - weeks * 7 * 86_400_000)).toBeLessThanOrEqual(3_600_000)
          // A time that clocks skipped that week has no equal.
          const [own, earlier] = [local(timezone, bucket), local(timezone, start)]
          if (own !== earlier) expect(isTurning(timezone, start)).toBe(true)
        }
      },
    ),
  )
})

/** Whether clocks are turned within two hours. */
function isTurning(timezone: string, at: number): boolean {
  const offset = (t: number) => new Date(t).toLocaleString('en', { timeZone: timezone, timeZoneName: 'longOffset' })
  const zone = (t: number) => offset(t).split('GMT')[1]
  return zone(at - 2 * 3_600_000) !== zone(at + 2 * 3_600_000)
}
