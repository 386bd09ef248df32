import { expect, test } from 'vitest'
import { createUuidV7 } from './uuid-v7.ts'

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test('ids are UUIDs of version 7 that carry the time', () => {
  const id = createUuidV7(() => 0x0123456789ab)()
  expect(id).toMatch(UUID_V7)
  expect(id.slice(0, 13)).toBe('01234567-89ab')
})

test('ids grow strictly within one millisecond, beyond its counter, and when the clock is set back', () => {
  let now = 1_767_225_600_000
  const createId = createUuidV7(() => now)
  const ids = Array.from({ length: 10_000 }, (_, index) => {
    if (index === 6000) now -= 60_000
    if (index === 8000) now += 120_000
    return createId()
  })
  expect(ids).toEqual([...new Set(ids)].sort())
  for (const id of ids) expect(id).toMatch(UUID_V7)
})
