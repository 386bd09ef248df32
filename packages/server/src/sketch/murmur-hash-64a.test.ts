import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { murmurHash64A } from './murmur-hash-64a.ts'

const M = 0xc6a4a7935bd1e995n
const MASK = (1n << 64n) - 1n

/** MurmurHash2.cpp, word for word, with 64-bit integers. */
function reference(text: string): bigint {
  const bytes = Buffer.from(text, 'utf8')
  let h = 0xadc83b19n ^ ((BigInt(bytes.length) * M) & MASK)
  let at = 0
  for (; at + 8 <= bytes.length; at += 8) {
    let k = (bytes.readBigUInt64LE(at) * M) & MASK
    k ^= k >> 47n
    h = ((h ^ ((k * M) & MASK)) * M) & MASK
  }
  if (at < bytes.length) {
    let k = 0n
    for (let i = bytes.length - 1; i >= at; i--) k = (k << 8n) | BigInt(bytes[i]!)
    h = ((h ^ k) * M) & MASK
  }
  h = ((h ^ (h >> 47n)) * M) & MASK
  return h ^ (h >> 47n)
}

function hash(text: string): bigint {
  const out = new Uint32Array(4)
  murmurHash64A(text, out, 1)
  expect([out[0], out[3]]).toEqual([0, 0])
  return (BigInt(out[2]!) << 32n) | BigInt(out[1]!)
}

describe('murmur-hash-64a', () => {
  it.each([
    ['', 0xd8dfea6585bc9732n],
    ['a', 0x53d2470a9b43b1a7n],
    ['user-1', 0x7ab4cb62301c005an],
    ['12345678', 0x95ebb86389132953n],
    ['anonymous', 0x6ab9b227a9d6ea17n],
    ['6f1c7a52-0d0e-4a3b-9a57-3c1f2b8e4d10', 0xf46a21f9ea01a6afn],
    ['Zoë', 0x31d089f1aa9dadd5n],
    ['用户', 0xe9732f6f9cb23f25n],
  ])('golden vector of %j', (text, expected) => {
    expect(hash(text)).toBe(expected)
  })

  it('is the reference for every text, lone surrogates included', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary-ascii', maxLength: 40 }),
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 }).map((units) => String.fromCharCode(...units)),
    )
    fc.assert(
      fc.property(text, (text) => {
        expect(hash(text)).toBe(reference(text))
      }),
      { numRuns: 1000 },
    )
  })

  it('is the reference on both sides of its scratch space, and a long text leaves nothing behind', () => {
    for (const letter of ['x', 'é', '用']) {
      for (const length of [1360, 1365, 1366, 2045, 2048, 2049, 4087, 4088, 4089, 4096, 4097, 20_000]) {
        const text = letter.repeat(length)
        expect(hash(text)).toBe(reference(text))
        expect(hash(`${letter}1`)).toBe(reference(`${letter}1`))
      }
    }
  })

  it('hashes a concatenated and a sliced text alike', () => {
    const whole = '6f1c7a52-0d0e-4a3b-9a57-3c1f2b8e4d10'
    expect(hash(`[${whole}]`.slice(1, -1))).toBe(hash(whole))
    expect(hash([...whole].reduce((text, letter) => text + letter))).toBe(hash(whole))
  })
})
