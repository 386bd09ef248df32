import type { Anomaly } from '@nowcast/protocol'

/** Closed buckets of a baseline. */
export const BASELINE_BUCKETS = 60
const LEAST_BUCKETS = 10
const MOST_SCORE = 99

export interface Band {
  expected: number
  low: number
  high: number
}

/**
 * The range a value is expected in: mean of the baseline ± `sigma` sample standard deviations.
 * @returns undefined with fewer than 10 values
 */
export function expectedBand(baseline: readonly number[], sigma: number): (Band & { deviation: number }) | undefined {
  const n = baseline.length
  if (n < LEAST_BUCKETS) return undefined
  const expected = baseline.reduce((sum, value) => sum + value, 0) / n
  const squares = baseline.reduce((sum, value) => sum + (value - expected) ** 2, 0)
  const deviation = Math.sqrt(squares / (n - 1))
  return { expected, deviation, low: expected - sigma * deviation, high: expected + sigma * deviation }
}

/** The anomaly that a value is, if any: deviations beyond `sigma`; any change from a flat baseline scores 99. */
export function judge(value: number, band: Band & { deviation: number }, sigma: number): Anomaly | undefined {
  const { expected, low, high, deviation } = band
  const distance = value - expected
  const score = deviation > 0 ? distance / deviation : Math.sign(distance) * (distance === 0 ? 0 : MOST_SCORE)
  if (Math.abs(score) <= sigma) return undefined
  return { score: Math.max(-MOST_SCORE, Math.min(MOST_SCORE, score)), expected, low, high }
}
