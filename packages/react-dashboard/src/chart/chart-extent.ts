import type { Series } from '@nowcast/protocol'

/** The least and the largest value that a chart of these series has to hold. */
export function chartExtent(series: readonly Series[], isStacked: boolean): [low: number, high: number] {
  let low = 0
  let high = 0
  for (const { points } of series) {
    for (const { v, band } of points) {
      low = Math.min(low, v)
      high = Math.max(high, v, band?.high ?? v)
    }
  }
  if (!isStacked) return [low, high]
  series[0]?.points.forEach((_, index) => {
    const values = series.map(({ points }) => points[index]?.v ?? 0)
    low = Math.min(
      low,
      values.reduce((sum, v) => sum + Math.min(0, v), 0),
    )
    high = Math.max(
      high,
      values.reduce((sum, v) => sum + Math.max(0, v), 0),
    )
  })
  return [low, high]
}
