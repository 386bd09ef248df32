import type { Anomaly, Point } from '@nowcast/protocol'

/** Deviations from which an anomaly is drawn in full; below it is faint. */
export const STRONG = 3
/** Marks nearer than this would cover each other, px. */
const APART_PX = 9

/** A mark of an unusual bucket. */
export interface Mark {
  t: number
  v: number
  isStrong: boolean
}

function isStronger(one: Anomaly, other: Anomaly): boolean {
  return Math.abs(one.score) > Math.abs(other.score)
}

/** The marks of unusual buckets; of those that would cover each other, the strongest. */
export function anomalyMarks(points: readonly Point[], x: (t: number) => number): Mark[] {
  const kept: (Point & { anomaly: Anomaly })[] = []
  for (const point of points) {
    const { anomaly } = point
    if (!anomaly) continue
    const last = kept.at(-1)
    const next = { ...point, anomaly }
    if (!last || x(point.t) - x(last.t) >= APART_PX) kept.push(next)
    else if (isStronger(anomaly, last.anomaly)) kept[kept.length - 1] = next
  }
  return kept.map(({ t, v, anomaly }) => ({ t, v, isStrong: Math.abs(anomaly.score) >= STRONG }))
}
