import type { Point } from '@nowcast/protocol'
import { BASELINE_BUCKETS, expectedBand, judge } from './anomaly.ts'
import type { Question } from './question.ts'

export interface MarkOptions {
  anomalies: NonNullable<Question['anomalies']>
  /** Start of the project's first minute with an event; undefined when it is not known. */
  firstEventAt: number | undefined
}

/**
 * Judges each closed point by the closed points before it; time before the project's first event is no baseline.
 * @param shownFrom the first point to judge; those before it are baseline only
 * @param isCutShort what is before the first point or event is not known: a point with a baseline there is not judged
 */
export function markByPrevious(
  points: Point[],
  shownFrom: number,
  { anomalies, firstEventAt }: MarkOptions,
  isCutShort = false,
): void {
  const begin = firstIndex(points, firstEventAt)
  const closed = points.filter(({ partial }) => !partial).length
  for (let i = shownFrom; i < points.length; i++) {
    const point = points[i] as Point
    const end = Math.min(i, closed)
    if (isCutShort && end - BASELINE_BUCKETS < begin) continue
    const before = points.slice(Math.max(begin, end - BASELINE_BUCKETS), end).map(({ v }) => v)
    mark(point, before, anomalies)
  }
}

/**
 * Judges each closed point by those of earlier weeks.
 * @param weeks for each week the same buckets, with their start
 */
export function markByWeeks(
  points: Point[],
  weeks: readonly { t: number; v: number }[][],
  { anomalies, firstEventAt = Number.POSITIVE_INFINITY }: MarkOptions,
): void {
  for (const [i, point] of points.entries()) {
    const earlier = weeks.flatMap((week) => {
      const one = week[i]
      return one && one.t >= firstEventAt ? [one.v] : []
    })
    mark(point, earlier, anomalies)
  }
}

function mark(point: Point, values: number[], { baseline, sigma }: MarkOptions['anomalies']): void {
  const band = expectedBand(values, sigma, baseline)
  if (!band) return
  const { expected, low, high } = band
  point.band = { expected, low, high }
  const anomaly = point.partial ? undefined : judge(point.v, band, sigma)
  if (anomaly) point.anomaly = anomaly
}

/** Place of the bucket in which the project's events begin; after all when none does. */
export function firstIndex(points: readonly { t: number }[], firstEventAt: number | undefined): number {
  if (firstEventAt === undefined) return points.length
  const after = points.findIndex(({ t }) => t > firstEventAt)
  const last = after < 0 ? points.length - 1 : after - 1
  return Math.max(0, last)
}
