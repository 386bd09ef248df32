/** The inverse of MurmurHash64A's multiplier modulo 2⁶⁴, 0x5f7a0ea7e59b19bd, in 32-bit halves; the lower in 16-bit ones. */
const INVERSE_HIGH = 0x5f7a0ea7
const INVERSE_LOW = 0xe59b19bd
const INVERSE_LOW_HIGH = 0xe59b
const INVERSE_LOW_LOW = 0x19bd

/** What hashing eight bytes begins with: the seed of Redis's HyperLogLog, mixed with the length. */
const START_HIGH = 0x35253c9a
const START_LOW = 0x734777b1

/** Upper 32 bits of `(high · 2³² + low) · inverse`. */
function timesInverseHigh(low: number, high: number): number {
  const a = low & 0xffff
  const b = low >>> 16
  const t = (Math.imul(b, INVERSE_LOW_LOW) + (Math.imul(a, INVERSE_LOW_LOW) >>> 16)) | 0
  const u = (Math.imul(a, INVERSE_LOW_HIGH) + (t & 0xffff)) | 0
  const carried = (Math.imul(b, INVERSE_LOW_HIGH) + (t >>> 16) + (u >>> 16)) | 0
  return (carried + Math.imul(low, INVERSE_HIGH) + Math.imul(high, INVERSE_LOW)) | 0
}

/**
 * Writes to `out[at … at + 7]` the only eight bytes whose MurmurHash64A (with the seed of Redis's HyperLogLog) is the
 * given hash: every step of it can be undone. Adding them to a sketch of Redis does the same as adding the text that
 * the hash was made from.
 */
export function writeElementOfHash(low: number, high: number, out: Uint8Array, at: number): void {
  let l = low ^ (high >>> 15)
  let h = timesInverseHigh(l, high)
  l = Math.imul(l, INVERSE_LOW)
  l ^= h >>> 15
  h = timesInverseHigh(l, h) ^ START_HIGH
  l = Math.imul(l, INVERSE_LOW) ^ START_LOW
  h = timesInverseHigh(l, h)
  l = Math.imul(l, INVERSE_LOW)
  l ^= h >>> 15
  h = timesInverseHigh(l, h)
  l = Math.imul(l, INVERSE_LOW)
  for (let i = 0; i < 4; i++) {
    out[at + i] = l >>> (8 * i)
    out[at + 4 + i] = h >>> (8 * i)
  }
}
