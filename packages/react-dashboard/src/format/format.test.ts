import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LABELS } from '../labels.ts'
import { changeOf } from './change-of.ts'
import { bucketTime, clockTime, tickTime } from './format-time.ts'
import { axisValue, longValue, shortValue } from './format-value.ts'
import { timeTicks } from './time-ticks.ts'
import { valueName } from './value-name.ts'
import { valueTicks } from './value-ticks.ts'
import { zoneOffsetMs } from './zone-offset-ms.ts'

const locale = 'en-US'
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

describe('figures', () => {
  it.each([
    [1_234_567, { unit: 'count', approximate: true }, '~1.2M'],
    [0, { unit: 'count', approximate: true }, '0'],
    [9999, { unit: 'count' }, '9,999'],
    [1494.72, { unit: 'count' }, '1,495'],
    [0.0124, { unit: 'percent' }, '1.24%'],
    [14.25, { unit: 'rate' }, '14.3'],
    [74_312.4, { unit: 'money', currency: 'EUR' }, '€74,312'],
    [12.5, { unit: 'money', currency: 'USD' }, '$12.50'],
    [-1_250_000, { unit: 'money', currency: 'JPY' }, '-¥1.3M'],
  ] as const)('%s is short', (v, style, text) => {
    expect(shortValue(v, { ...style, locale })).toBe(text)
  })

  it('keep every digit of exact money', () => {
    const style = { unit: 'money', currency: 'EUR', locale } as const
    expect(longValue(98765432101234.56, style, '98765432101234.5678')).toBe('€98,765,432,101,234.5678')
    expect(longValue(19.99, style, '19.9900')).toBe('€19.99')
  })

  it('are shortest on an axis', () => {
    expect(axisValue(1_500_000, { unit: 'money', currency: 'EUR', locale })).toBe('€1.5M')
    expect(axisValue(0, { unit: 'money', currency: 'EUR', locale })).toBe('€0')
  })
})

describe('changes', () => {
  const count = { unit: 'count', locale } as const
  it.each([
    [112, 100, count, 'up', '12%'],
    [101.5, 100, count, 'up', '1.5%'],
    [50, 100, count, 'down', '50%'],
    [100, 100, count, 'same', ''],
    [5, 0, count, 'up', ''],
    [0, 0, count, 'same', ''],
    [-50, -100, count, 'up', '50%'],
    [0.0124, 0.0108, { unit: 'percent', locale } as const, 'up', '0.16 pp'],
  ])('from %s to %s', (v, previous, style, direction, amount) => {
    expect(changeOf(v, previous, style, 'pp')).toEqual({ direction, amount })
  })
})

describe('value axis', () => {
  it('has few, round, evenly spaced marks that hold all values', () => {
    const values = fc.integer({ min: -1e9, max: 1e9 }).map((n) => n / 10_000)
    fc.assert(
      fc.property(values, values, fc.boolean(), (a, b, isWhole) => {
        const low = Math.min(a, b)
        const high = Math.max(a, b)
        const ticks = valueTicks(low, high, isWhole)
        expect(ticks.length).toBeGreaterThan(1)
        expect(ticks.length).toBeLessThanOrEqual(7)
        expect(ticks[0]).toBeLessThanOrEqual(Math.min(0, low))
        expect(ticks.at(-1)).toBeGreaterThanOrEqual(Math.max(0, high))
        if (isWhole) expect(ticks.every(Number.isInteger)).toBe(true)
      }),
    )
    expect(valueTicks(0, 2590, true)).toEqual([0, 1000, 2000, 3000])
    expect(valueTicks(0, 2, true)).toEqual([0, 1, 2])
    expect(valueTicks(0, 0.0132, false)).toEqual([0, 0.005, 0.01, 0.015])
  })
})

describe('time axis', () => {
  it('an event has the time of the same zone', () => {
    const t = Date.UTC(2026, 5, 1, 22, 0, 5)
    expect(clockTime(t, 'Europe/Berlin', locale)).toBe('00:00:05')
    expect(clockTime(t, 'America/New_York', locale)).toBe('18:00:05')
  })

  it('stands at round times of the zone, also across a clock change', () => {
    const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe')
    const from = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2030, 0, 1) })
    const span = fc.integer({ min: 10 * MINUTE, max: 60 * DAY })
    fc.assert(
      fc.property(zones, from, span, (zone, start, length) => {
        const ticks = timeTicks(start, start + length, zone)
        expect(ticks.length).toBeLessThanOrEqual(9)
        for (const tick of ticks) {
          expect(tick).toBeGreaterThanOrEqual(start)
          expect(tick).toBeLessThanOrEqual(start + length)
          expect((tick + zoneOffsetMs(tick, zone)) % MINUTE).toBe(0)
        }
      }),
    )
  })

  it('has midnights of Berlin in the week of its clock change', () => {
    const ticks = timeTicks(Date.UTC(2025, 9, 23), Date.UTC(2025, 9, 30), 'Europe/Berlin')
    expect(ticks.map((tick) => tickTime(tick, 'Europe/Berlin', locale))).toEqual([
      'Oct 24',
      'Oct 25',
      'Oct 26',
      'Oct 27',
      'Oct 28',
      'Oct 29',
      'Oct 30',
    ])
  })

  it('names a bucket in its zone', () => {
    const t = Date.UTC(2025, 10, 24, 13, 0)
    expect(bucketTime(t, 'minute', 'Europe/Berlin', locale)).toBe('Mon, Nov 24, 2:00 PM')
    expect(bucketTime(t, 'hour', 'UTC', locale)).toBe('Mon, Nov 24, 1:00 PM – 2:00 PM')
  })
})

it('values have the names that people know', () => {
  expect(valueName('country', 'DE', LABELS, locale)).toBe('Germany')
  expect(valueName('country', '(none)', LABELS, locale)).toBe('Not set')
  expect(valueName('device', 'tv', LABELS, locale)).toBe('TV')
  expect(valueName('category', 'other', LABELS, locale)).toBe('other')
})
