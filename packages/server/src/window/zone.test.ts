import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bucketStart, isZone, nextBucket, previousBucket } from './zone.ts'

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'America/St_Johns',
  'Asia/Beirut',
  'Pacific/Apia',
]
const moment = fc.integer({ min: Date.UTC(2005, 0, 1), max: Date.UTC(2035, 0, 1) })

function local(timezone: string, at: number): string {
  return new Date(at).toLocaleString('sv-SE', { timeZone: timezone })
}

describe.each(ZONES)('buckets in %s', (timezone) => {
  test('a day holds exactly the moments with its local date', () => {
    fc.assert(
      fc.property(moment, (at) => {
        const start = bucketStart('day', timezone, at)
        const end = nextBucket('day', timezone, start)
        const date = local(timezone, at).slice(0, 10)
        expect(start).toBeLessThanOrEqual(at)
        expect(end).toBeGreaterThan(at)
        expect(local(timezone, start).slice(0, 10)).toBe(date)
        expect(local(timezone, end - 1).slice(0, 10)).toBe(date)
        expect(local(timezone, start - 1).slice(0, 10)).not.toBe(date)
        expect(local(timezone, end).slice(0, 10)).not.toBe(date)
      }),
      { numRuns: 150 },
    )
  })

  test('buckets follow each other without gap or overlap, forwards and backwards', () => {
    fc.assert(
      fc.property(moment, fc.constantFrom('minute', 'hour', 'day'), (at, granularity) => {
        const start = bucketStart(granularity, timezone, at)
        const next = nextBucket(granularity, timezone, start)
        expect(bucketStart(granularity, timezone, start)).toBe(start)
        expect(bucketStart(granularity, timezone, next)).toBe(next)
        expect(bucketStart(granularity, timezone, next - 1)).toBe(start)
        expect(previousBucket(granularity, timezone, next)).toBe(start)
      }),
      { numRuns: 150 },
    )
  })
})

test('days at a change of clocks have 23 and 25 hours', () => {
  const hours = (at: number) =>
    (nextBucket('day', 'Europe/Berlin', bucketStart('day', 'Europe/Berlin', at)) -
      bucketStart('day', 'Europe/Berlin', at)) /
    3_600_000
  expect(hours(Date.UTC(2026, 2, 29, 12))).toBe(23)
  expect(hours(Date.UTC(2026, 9, 25, 12))).toBe(25)
})

test('only names of zones are zones', () => {
  expect(isZone('Asia/Kolkata')).toBe(true)
  expect(isZone('Mars/Olympus')).toBe(false)
  expect(isZone('')).toBe(false)
})
