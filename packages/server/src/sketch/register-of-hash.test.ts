import fc from 'fast-check'
import { expect, it } from 'vitest'
import { registerOfHash } from './register-of-hash.ts'

/** hllPatLen of hyperloglog.c. */
function reference(hash: bigint): number {
  const index = Number(hash & 0x3fffn)
  const rest = (hash >> 14n) | (1n << 50n)
  let rank = 1
  for (let bit = 1n; (rest & bit) === 0n; bit <<= 1n) rank++
  return (index << 6) | rank
}

it('finds the register that Redis finds, for every number of trailing zeros', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, (1n << 64n) - 1n), fc.integer({ min: 0, max: 64 }), (bits, zeros) => {
      const hash = BigInt.asUintN(64, ((bits | 1n) << BigInt(zeros)) | (bits & 0x3fffn))
      expect(registerOfHash(Number(hash & 0xffffffffn), Number(hash >> 32n))).toBe(reference(hash))
    }),
    { numRuns: 2000 },
  )
})

it('takes the words signed or unsigned', () => {
  expect(registerOfHash(-1, -1)).toBe(registerOfHash(0xffffffff, 0xffffffff))
  expect(registerOfHash(0, -0x80000000)).toBe(registerOfHash(0, 0x80000000))
  expect(registerOfHash(0x3fff, 0)).toBe((0x3fff << 6) | 51)
})
