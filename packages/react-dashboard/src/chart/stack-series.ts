import type { Metric, Series } from '@nowcast/protocol'
import { closedCount, type Scales } from './chart-path.ts'
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

/** What a layer covers at one time: from `low`, which is nearer to zero, to `high`. */
export interface Edge {
  t: number
  low: number
  high: number
}

/** One series on top of those before it; what is less than zero, as refunds are, below those before it. */
export interface Layer {
  key: string | null
  /** Edges at each time, those of complete buckets first. */
  edges: Edge[]
  /** The same below zero; undefined where nothing is. */
  below: Edge[] | undefined
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
  // Apart, so that a value which falls below zero crosses none of those that do not.
  const above = kept.map(() => 0)
  const below = kept.map(() => 0)
  const hasBelow = series.some(({ points }) => points.some(({ v }) => v < 0))
  return series.map(({ key, points }) => {
    const edgesOn = (grounds: number[], part: (v: number) => number) =>
      kept.map(({ t, index }, place): Edge => {
        const low = grounds[place]!
        const high = low + part(points[index]?.v ?? 0)
        grounds[place] = high
        return { t, low, high }
      })
    return {
      key,
      closed: kept.length - (sums.length - closed),
      edges: edgesOn(above, (v) => Math.max(0, v)),
      below: hasBelow ? edgesOn(below, (v) => Math.min(0, v)) : undefined,
    }
  })
}

/** The area of a layer's edges `from` … `to`, and that below zero. */
export function layerPath({ edges, below }: Layer, from: number, to: number, scales: Pick<Scales, 'x' | 'y'>): string {
  const parts = [edges, below ?? []].map((side) => side.slice(Math.max(0, from), to))
  return parts.map((part) => edgePath(part, scales)).join('')
}

function edgePath(part: readonly Edge[], { x, y }: Pick<Scales, 'x' | 'y'>): string {
  if (part.length < 2) return ''
  const round = (px: number) => Math.round(px * 10) / 10
  const tops = part.map(({ t, high }) => `${round(x(t))},${round(y(high))}`)
  const bottoms = part.map(({ t, low }) => `${round(x(t))},${round(y(low))}`).reverse()
  return `M${[...tops, ...bottoms].join('L')}Z`
}
