import type { Point } from '@nowcast/protocol'

/** What is drawn of a point. */
type Place = Pick<Point, 't' | 'v'>

/**
 * At most one point per pixel of width, none of the extremes lost: of every two columns of pixels the lowest and the
 * highest point, in their order; the first and the last point of all.
 */
export function thinOut<P extends Place>(points: readonly P[], widthPx: number): readonly P[] {
  const most = Math.max(4, Math.floor(widthPx))
  if (points.length <= most) return points
  const groups = Math.floor((most - 2) / 2)
  const inner = points.length - 2
  const kept: P[] = [points[0]!]
  for (let group = 0; group < groups; group++) {
    const from = 1 + Math.floor((group * inner) / groups)
    const to = 1 + Math.floor(((group + 1) * inner) / groups)
    let low = from
    let high = from
    for (let index = from + 1; index < to; index++) {
      if (points[index]!.v < points[low]!.v) low = index
      if (points[index]!.v > points[high]!.v) high = index
    }
    kept.push(points[Math.min(low, high)]!)
    if (low !== high) kept.push(points[Math.max(low, high)]!)
  }
  kept.push(points.at(-1)!)
  return kept
}
