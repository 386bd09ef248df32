import type { Anomaly, AnomalyBaseline } from '@nowcast/protocol'

/** Closed buckets of a baseline. */
export const BASELINE_BUCKETS = 60
/** Weeks of a seasonal baseline. */
export const BASELINE_WEEKS = 10
/** Values without which there is no baseline. */
const LEAST_VALUES: Record<AnomalyBaseline, number> = { previous: 10, robust: 10, seasonal: 3 }
const MOST_SCORE = 99
/** Standard deviations of a normal distribution in its median deviation, and in its mean deviation. */
const MEDIAN_DEVIATION = 1.4826
const MEAN_DEVIATION = 1.2533

export interface Band {
  expected: number
  low: number
  high: number
}

interface Spread {
  expected: number
  deviation: number
}

/**
 * The range a value is expected in: mean of the baseline ± `sigma` sample standard deviations; of a robust one, median ±
 * `sigma` scaled median deviations.
 * @returns undefined with too few values
 */
export function expectedBand(
  values: readonly number[],
  sigma: number,
  baseline: AnomalyBaseline = 'previous',
): (Band & { deviation: number }) | undefined {
  if (values.length < LEAST_VALUES[baseline]) return undefined
  const { expected, deviation } = isFlat(values)
    ? { expected: values[0] as number, deviation: 0 }
    : baseline === 'robust'
      ? medianSpread(values)
      : meanSpread(values)
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

function meanSpread(values: readonly number[]): Spread {
  const n = values.length
  const expected = values.reduce((sum, value) => sum + value, 0) / n
  const squares = values.reduce((sum, value) => sum + (value - expected) ** 2, 0)
  return { expected, deviation: Math.sqrt(squares / (n - 1)) }
}

/** Where more than half of the values are equal, their median deviation is 0 and says nothing: then the mean one. */
function medianSpread(values: readonly number[]): Spread {
  const expected = medianOf(values)
  const distances = values.map((value) => Math.abs(value - expected))
  const median = medianOf(distances)
  if (median > 0) return { expected, deviation: MEDIAN_DEVIATION * median }
  const mean = distances.reduce((sum, distance) => sum + distance, 0) / distances.length
  return { expected, deviation: MEAN_DEVIATION * mean }
}

function medianOf(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  const middle = sorted.length >> 1
  const upper = sorted[middle] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
}
