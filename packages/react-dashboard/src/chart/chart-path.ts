import type { Point } from '@nowcast/protocol'
import { thinOut } from './thin-out.ts'

/** Where a time and a value lie in the plot, in px. */
export interface Scales {
  x(t: number): number
  y(v: number): number
  /** Width of the plot, px: no more points than that are drawn. */
  width: number
}

function place({ x, y }: Scales, t: number, v: number): string {
  return `${Math.round(x(t) * 10) / 10},${Math.round(y(v) * 10) / 10}`
}

function path(places: string[], end = ''): string {
  return places.length > 0 ? `M${places.join('L')}${end}` : ''
}

/** Number of points before the first that is not complete yet. */
export function closedCount(points: readonly Point[]): number {
  // They are the last ones, if there are any.
  let count = points.length
  while (count > 0 && points[count - 1]?.partial) count--
  return count
}

function closedPoints(points: readonly Point[], { width }: Scales): readonly Point[] {
  return thinOut(points.slice(0, closedCount(points)), width)
}

/** The line through the closed buckets. */
export function closedPath(points: readonly Point[], scales: Scales): string {
  return path(closedPoints(points, scales).map(({ t, v }) => place(scales, t, v)))
}

/** Buckets narrower than this, px, are too near for a dashed line to be seen as one. */
const LEAST_DASHED_PX = 8
/** Length of the dash that stands for a running bucket there. */
const DASH_PX = 6

/**
 * Buckets that are not complete yet: a line to be dashed from the last closed one on. Where they are narrow such a line
 * would look like a fall: each is a level dash of its own there, joined to nothing.
 */
export function partialPath(points: readonly Point[], scales: Scales): string {
  const closed = closedCount(points)
  if (closed === points.length) return ''
  const [last, first] = [points[closed - 1], points[closed]!]
  if (last && scales.x(first.t) - scales.x(last.t) < LEAST_DASHED_PX)
    return points
      .slice(closed)
      .map(({ t, v }) => `M${place(scales, t, v)}m${-DASH_PX / 2},0h${DASH_PX}`)
      .join('')
  return path(points.slice(Math.max(0, closed - 1)).map(({ t, v }) => place(scales, t, v)))
}

/** The area between the closed buckets and zero. */
export function areaPath(points: readonly Point[], scales: Scales): string {
  const closed = closedPoints(points, scales)
  const [first, last] = [closed[0], closed.at(-1)]
  if (!first || !last) return ''
  const line = path(closed.map(({ t, v }) => place(scales, t, v)))
  return `${line}L${place(scales, last.t, 0)}L${place(scales, first.t, 0)}Z`
}

/** The area of expected values, where the points have one. */
export function bandPath(points: readonly Point[], scales: Scales): string {
  // An area's edges are smooth: every few columns are enough, and the ends are kept.
  const step = Math.max(1, Math.ceil(points.length / (scales.width / 2)))
  const tops: string[] = []
  const bottoms: string[] = []
  points.forEach(({ t, band }, index) => {
    if (!band || (index % step !== 0 && points[index + 1]?.band)) return
    tops.push(place(scales, t, band.high))
    bottoms.push(place(scales, t, Math.max(0, band.low)))
  })
  return path([...tops, ...bottoms.reverse()], 'Z')
}
