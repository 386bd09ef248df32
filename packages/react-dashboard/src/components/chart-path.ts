import type { Point } from '@nowcast/protocol'

/** Where a time and a value lie in the plot, in px. */
export interface Scales {
  x(t: number): number
  y(v: number): number
}

function place({ x, y }: Scales, t: number, v: number): string {
  return `${Math.round(x(t) * 10) / 10},${Math.round(y(v) * 10) / 10}`
}

function path(places: string[], end = ''): string {
  return places.length > 0 ? `M${places.join('L')}${end}` : ''
}

/** Number of points before the first that is not complete yet. */
function closedCount(points: readonly Point[]): number {
  const first = points.findIndex(({ partial }) => partial)
  return first < 0 ? points.length : first
}

/** The line through the closed buckets. */
export function closedPath(points: readonly Point[], scales: Scales): string {
  return path(points.slice(0, closedCount(points)).map(({ t, v }) => place(scales, t, v)))
}

/** The line from the last closed bucket through those that are not complete yet. */
export function partialPath(points: readonly Point[], scales: Scales): string {
  const closed = closedCount(points)
  if (closed === points.length) return ''
  return path(points.slice(Math.max(0, closed - 1)).map(({ t, v }) => place(scales, t, v)))
}

/** The area between the closed buckets and zero. */
export function areaPath(points: readonly Point[], scales: Scales): string {
  const closed = points.slice(0, closedCount(points))
  const [first, last] = [closed[0], closed.at(-1)]
  if (!first || !last) return ''
  return `${closedPath(closed, scales)}L${place(scales, last.t, 0)}L${place(scales, first.t, 0)}Z`
}

/** The area of expected values, where the points have one. */
export function bandPath(points: readonly Point[], scales: Scales): string {
  const tops: string[] = []
  const bottoms: string[] = []
  for (const { t, band } of points) {
    if (!band) continue
    tops.push(place(scales, t, band.high))
    bottoms.push(place(scales, t, Math.max(0, band.low)))
  }
  return path([...tops, ...bottoms.reverse()], 'Z')
}
