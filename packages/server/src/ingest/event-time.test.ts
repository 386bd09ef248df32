import { expect, test } from 'vitest'
import { clockSkew, eventTime, parseTimestamp } from './event-time.ts'

const NOW = Date.UTC(2026, 0, 1)

test.each([
  [1_767_225_599_950, 1_767_225_599_950],
  [1_767_225_599_950.7, 1_767_225_599_950],
  ['2026-01-01T00:00:00Z', NOW],
  ['2026-01-01T01:00:00+01:00', NOW],
  ['2026-01-01T05:30:00+0530', NOW],
  ['2026-01-01', NOW],
  ['2026-01-01 00:00', NOW],
  ['2026-01-01T00:00:00.123456Z', NOW + 123],
  [0, 0],
])('%j is a time', (value, ms) => {
  expect(parseTimestamp(value)).toBe(ms)
})

test.each([
  '',
  'yesterday',
  '2026-13-01',
  '2026-01-01T25:00:00Z',
  '01/02/2026',
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  1e16,
  '1767225599950',
])('%j is no time', (value) => {
  expect(parseTimestamp(value)).toBeUndefined()
})

test('a skew over a second is taken out, a smaller one is not', () => {
  expect(clockSkew(NOW + 1000, NOW)).toBe(0)
  expect(clockSkew(NOW + 86_400_000, NOW)).toBe(86_400_000)
  expect(clockSkew(NOW - 5000, NOW)).toBe(-5000)
  expect(clockSkew(undefined, NOW)).toBe(0)
  expect(eventTime(NOW + 86_400_000 - 50, 86_400_000, NOW)).toBe(NOW - 50)
})

test('a skew with a fraction of a millisecond leaves whole milliseconds', () => {
  expect(eventTime(NOW, clockSkew(NOW + 5000.4, NOW), NOW)).toBe(NOW - 5001)
})

test('more than five minutes in the future is the received time', () => {
  expect(eventTime(NOW + 300_000, 0, NOW)).toBe(NOW + 300_000)
  expect(eventTime(NOW + 300_001, 0, NOW)).toBe(NOW)
})
