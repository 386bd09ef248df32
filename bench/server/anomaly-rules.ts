import type { Point } from '@nowcast/protocol'
import { BASELINE_BUCKETS, BASELINE_WEEKS, judge } from '../../packages/server/src/query/anomaly.ts'
import { markByPrevious, markByWeeks } from '../../packages/server/src/query/mark-anomalies.ts'

const WEEK_MS = 7 * 24 * 3_600_000

/** What the server has, and the median rule, which it does not have. */
export type Rule = 'previous' | 'seasonal' | 'median'

/** Whether each value of a series is an anomaly, judged as the server judges closed buckets. */
export function judgeSeries(series: { t: number; v: number }[], baseline: Rule, sigma: number): boolean[] {
  if (baseline === 'median') return judgeByMedian(series, sigma)
  const points: Point[] = series.map(({ t, v }) => ({ t, v }))
  const options = { anomalies: { baseline, sigma }, firstEventAt: points[0]?.t }
  if (baseline === 'seasonal') {
    const byTime = new Map(series.map(({ t, v }) => [t, v]))
    const weeks = Array.from({ length: BASELINE_WEEKS }, (_, i) =>
      points.map(({ t: now }) => {
        const t = now - (i + 1) * WEEK_MS
        const v = byTime.get(t)
        // A gap in the series is no 0.
        return v === undefined ? { t: Number.NEGATIVE_INFINITY, v: 0 } : { t, v }
      }),
    )
    markByWeeks(points, weeks, options)
  } else markByPrevious(points, 0, options)
  return points.map(({ anomaly }) => anomaly !== undefined)
}

/** Standard deviations of a normal distribution in its median deviation, and in its mean deviation. */
const MEDIAN_DEVIATION = 1.4826
const MEAN_DEVIATION = 1.2533

/** As `previous`, with the median of the 60 values and their median deviation from it. */
function judgeByMedian(series: { v: number }[], sigma: number): boolean[] {
  return series.map(({ v }, i) => {
    const before = series.slice(Math.max(0, i - BASELINE_BUCKETS), i).map((one) => one.v)
    if (before.length < 10) return false
    const expected = medianOf(before)
    const distances = before.map((value) => Math.abs(value - expected))
    const median = medianOf(distances)
    // Where more than half of the values are equal, it is 0 and says nothing.
    const mean = distances.reduce((sum, distance) => sum + distance, 0) / distances.length
    const deviation = median > 0 ? MEDIAN_DEVIATION * median : MEAN_DEVIATION * mean
    const band = { expected, deviation, low: expected - sigma * deviation, high: expected + sigma * deviation }
    return judge(v, band, sigma) !== undefined
  })
}

function medianOf(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  const middle = sorted.length >> 1
  const upper = sorted[middle] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
}
