import { expect, test } from 'vitest'
import { backoffMs, retryAfterMs } from './backoff.ts'

test('waits double up to the longest, and any part of them may be taken', () => {
  const longest = [0, 1, 2, 3, 10].map((attempt) => backoffMs(attempt, 500, 3000, () => 1))
  expect(longest).toEqual([500, 1000, 2000, 3000, 3000])
  expect(backoffMs(3, 500, 3000, () => 0)).toBe(0)
})

test('Retry-After is read as seconds and as a date, an hour at most', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  expect(retryAfterMs('2', now)).toBe(2000)
  expect(retryAfterMs('Thu, 01 Jan 2026 00:00:05 GMT', now)).toBe(5000)
  expect(retryAfterMs('999999999', now)).toBe(3_600_000)
  for (const header of [undefined, null, '', 'soon', '-1', 'Wed, 31 Dec 2025 00:00:00 GMT'])
    expect(retryAfterMs(header, now)).toBeUndefined()
})
