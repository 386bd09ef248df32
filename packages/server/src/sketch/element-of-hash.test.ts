import fc from 'fast-check'
import { expect, test } from 'vitest'
import { writeElementOfHash } from './element-of-hash.ts'
import { murmurHash64A } from './murmur-hash-64a.ts'

const M = 0xc6a4a7935bd1e995n
const SEED = 0xadc83b19n
const word = (value: bigint) => BigInt.asUintN(64, value)

/** MurmurHash64A of eight bytes, as it is written down in MurmurHash2.cpp. */
function hashOf(bytes: Uint8Array): bigint {
  let k = word(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true) * M)
  k = word((k ^ (k >> 47n)) * M)
  let h = word((SEED ^ word(8n * M) ^ k) * M)
  h = word((h ^ (h >> 47n)) * M)
  return h ^ (h >> 47n)
}

function elementOf(hash: bigint): Uint8Array {
  const element = new Uint8Array(8)
  writeElementOfHash(Number(hash & 0xffffffffn), Number(hash >> 32n), element, 0)
  return element
}

test('the element of a hash has that hash', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (hash) => {
      expect(hashOf(elementOf(hash))).toBe(hash)
    }),
    { numRuns: 2000, examples: [[0n], [2n ** 64n - 1n], [2n ** 63n]] },
  )
})

test('the element of the hash of eight ASCII characters are these characters', () => {
  const hash = new Uint32Array(2)
  murmurHash64A('user-123', hash, 0)
  const element = new Uint8Array(8)
  writeElementOfHash(hash[0] as number, hash[1] as number, element, 0)
  expect(Buffer.from(element).toString('latin1')).toBe('user-123')
})
