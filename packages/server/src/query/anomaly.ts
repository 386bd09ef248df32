import type { Anomaly, AnomalyBaseline } from '@nowcast/protocol'

/** Closed buckets of a baseline. */
export const BASELINE_BUCKETS = 60
/** Weeks of a seasonal baseline. */
export const BASELINE_WEEKS = 10
/** Values without which there is no baseline. */
const LEAST_VALUES: Record<AnomalyBaseline, number> = { previous: 10, seasonal: 3 }
const MOST_SCORE = 99

export interface Band {
  expected: number
  low: number
  high: number
}

/**
 * The range a value is expected in: mean of the baseline ± `sigma` sample standard deviations.
 * @returns undefined with too few values
 */
export function expectedBand(
  values: readonly number[],
  sigma: number,
  baseline: AnomalyBaseline = 'previous',
): (Band & { deviation: number }) | undefined {
  if (values.length < LEAST_VALUES[baseline]) return undefined
  const { expected, deviation } = isFlat(values) ? { expected: values[0] as number, deviation: 0 } : meanSpread(values)
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

/** Told apart from a sum's last digit: ten times 0.1 is not 1. */
function isFlat(values: readonly number[]): boolean {
  return values.every((value) => value === values[0])
}

function meanSpread(values: readonly number[]): { expected: number; deviation: number } {
  const n = values.length
  const expected = values.reduce((sum, value) => sum + value, 0) / n
  const squares = values.reduce((sum, value) => sum + (value - expected) ** 2, 0)
  return { expected, deviation: Math.sqrt(squares / (n - 1)) }
}
