import { MAX_RANK, PRECISION, RANK_BITS, REGISTER_COUNT } from './precision.ts'

/** Number of zeros below the lowest set bit. `word` is not 0. */
const trailingZeros = (word: number) => 31 - Math.clz32(word & -word)

/**
 * The register that a 64-bit hash (in two words) falls into, packed as `index << 6 | rank`. As in Redis (hyperloglog.c,
 * hllPatLen): the index is the 14 lowest bits, the rank one more than the trailing zeros of the 50 others.
 */
export function registerOfHash(low: number, high: number): number {
  const index = low & (REGISTER_COUNT - 1)
  const rest = low >>> PRECISION
  const rank =
    rest !== 0 ? trailingZeros(rest) + 1 : (high | 0) !== 0 ? 32 - PRECISION + trailingZeros(high | 0) + 1 : MAX_RANK
  return (index << RANK_BITS) | rank
}
