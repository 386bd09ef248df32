import type { Metric, Series } from '@nowcast/protocol'
import { closedCount } from './chart-path.ts'
import { thinOut } from './thin-out.ts'

/** Metrics whose parts add up to the whole: distinct users and shares do not. */
export const ADDITIVE: ReadonlySet<Metric> = new Set<Metric>([
  'events',
  'page_views',
  'clicks',
  'purchases',
  'errors',
  'revenue',
  'events_per_second',
])

/** One series on top of those before it. */
export interface Layer {
  key: string | null
  /** Lower and upper edge at each time, those of complete buckets first. */
  edges: { t: number; low: number; high: number }[]
  /** How many of the edges are of complete buckets. */
  closed: number
}

/** Series stacked in their order, at no more times than the plot is wide; the highest and lowest sums are kept. */
export function stackSeries(series: readonly Series[], widthPx: number): Layer[] {
  const [first] = series
  if (!first) return []
  const closed = closedCount(first.points)
  const sums = first.points.map(({ t }, index) => ({
    t,
    index,
    v: series.reduce((sum, { points }) => sum + (points[index]?.v ?? 0), 0),
  }))
  const kept = [...thinOut(sums.slice(0, closed), widthPx), ...sums.slice(closed)]
  const grounds = kept.map(() => 0)
  return series.map(({ key, points }) => ({
    key,
    closed: kept.length - (sums.length - closed),
    edges: kept.map(({ t, index }, place) => {
      const low = grounds[place]!
      const high = low + (points[index]?.v ?? 0)
      grounds[place] = high
      return { t, low, high }
    }),
  }))
}

/** The area of a layer's edges `from` … `to`. */
export function layerPath(
  { edges }: Layer,
  from: number,
  to: number,
  { x, y }: { x(t: number): number; y(v: number): number },
): string {
  const part = edges.slice(Math.max(0, from), to)
  if (part.length < 2) return ''
  const round = (px: number) => Math.round(px * 10) / 10
  const tops = part.map(({ t, high }) => `${round(x(t))},${round(y(high))}`)
  const bottoms = part.map(({ t, low }) => `${round(x(t))},${round(y(low))}`).reverse()
  return `M${[...tops, ...bottoms].join('L')}Z`
}
