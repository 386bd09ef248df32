import { expect, test } from 'vitest'
import type { NowcastError } from '../errors.ts'
import { createRateLimit } from './rate-limit.ts'

function taken(limit: ReturnType<typeof createRateLimit>, address: string, now: number, times = 1): number {
  let count = 0
  for (let i = 0; i < times; i++) {
    try {
      limit.take('shop', address, now)
      count++
    } catch (error) {
      if (!(((error as NowcastError).retryAfterMs as number) > 0)) throw error
    }
  }
  return count
}

test('so many requests a second of one key and address, whatever others do', () => {
  const limit = createRateLimit({ requestsPerSecond: 10 })
  expect(taken(limit, '1.1.1.1', 0, 50)).toBe(10)
  expect(taken(limit, '2.2.2.2', 500, 50)).toBe(10)
  expect(taken(limit, '1.1.1.1', 1000, 50)).toBe(10)
})

test('a network of IPv6 addresses is one sender', () => {
  const limit = createRateLimit({ requestsPerSecond: 10 })
  const sent = ['2001:db8:1:2::1', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2:ffff::'].map((ip) => taken(limit, ip, 0, 10))
  expect(sent).toEqual([10, 0, 0])
  expect(taken(limit, '2001:db8:1:3::1', 0, 10)).toBe(10)
  expect([taken(limit, '::1', 0, 10), taken(limit, '::2', 0, 10)]).toEqual([10, 0])
})

test('a million addresses in a second take no more memory than a hundred thousand, and are limited together', () => {
  const limit = createRateLimit({ requestsPerSecond: 500 })
  let passed = 0
  for (let i = 0; i < 1_000_000; i++) {
    passed += taken(limit, `${i >>> 24}.${(i >>> 16) & 255}.${(i >>> 8) & 255}.${i & 255}`, 0)
  }
  expect(limit.size).toBeLessThanOrEqual(100_001)
  expect(passed).toBe(100_000 + 5000)
  taken(limit, '1.1.1.1', 1000)
  expect(limit.size).toBe(1)
})
