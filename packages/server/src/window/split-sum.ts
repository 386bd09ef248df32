/**
 * Sums of money stay exact in doubles when they are kept as `high × 2²⁸ + low`: each half of a sum over 2²⁵ cells stays
 * below 2⁵³.
 */
export const SPLIT = 2 ** 28

/** The whole number of a split sum. */
export function joinSum(high: number, low: number): bigint {
  return BigInt(high) * BigInt(SPLIT) + BigInt(low)
}
