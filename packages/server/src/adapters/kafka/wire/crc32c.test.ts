import { expect, test } from 'vitest'
import { crc32c } from './crc32c.ts'

test('the checksums are those of RFC 3720', () => {
  const thirtyTwo = (byte: (i: number) => number) => Uint8Array.from({ length: 32 }, (_, i) => byte(i))
  expect(crc32c(thirtyTwo(() => 0))).toBe(0x8a9136aa)
  expect(crc32c(thirtyTwo(() => 255))).toBe(0x62a8ab43)
  expect(crc32c(thirtyTwo((i) => i))).toBe(0x46dd794e)
  expect(crc32c(thirtyTwo((i) => 31 - i))).toBe(0x113fdb5c)
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
  expect(crc32c(Buffer.from('x123456789x'), 1, 10)).toBe(0xe3069283)
})
