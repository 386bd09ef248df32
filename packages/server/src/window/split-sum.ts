/**
 * Sums of money stay exact in doubles when they are kept as `high × 2²⁸ + low`: each half of a sum over 2²⁵ cells stays
 * below 2⁵³.
 */
export const SPLIT = 2 ** 28

/** The whole number of a split sum. */
export function joinSum(high: number, low: number): bigint {
  const sum = high * SPLIT + low
  if (Number.isSafeInteger(sum)) return BigInt(sum)
  return BigInt(high) * BigInt(SPLIT) + BigInt(low)
}

/** The two halves of a whole number. */
export function splitSum(sum: bigint): { revenueHigh: number; revenueLow: number } {
  const half = BigInt(SPLIT)
  const low = BigInt.asUintN(28, sum)
  return { revenueHigh: Number((sum - low) / half), revenueLow: Number(low) }
}
