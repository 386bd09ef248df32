import type { Point } from '@nowcast/protocol'

/** Replaces the points of the same bucket, adds the others in order of time, and keeps the newest `keep`. */
export function mergePoints(points: readonly Point[], changed: readonly Point[], keep: number): Point[] {
  const merged = [...points]
  for (const point of changed) {
    let at = merged.length
    while (at > 0 && merged[at - 1]!.t >= point.t) at--
    merged.splice(at, merged[at]?.t === point.t ? 1 : 0, point)
  }
  return merged.length > keep ? merged.slice(merged.length - keep) : merged
}
