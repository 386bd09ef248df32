import type { AnomalyOptions, Filters, Granularity, Metric, Range } from '@nowcast/protocol'
import { type ReactNode, useState } from 'react'
import type { Compare } from '../chart/compared-series.ts'
import { ADDITIVE } from '../chart/stack-series.ts'
import { granularityOf, type ZoomRange } from '../chart/zoom-range.ts'
import { spanMs } from '../client/span-ms.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { useLive } from '../hooks/use-live.ts'
import { Frame } from './frame.tsx'
import { SeriesPlot } from './series-plot.tsx'
import { useComparison } from './use-comparison.ts'
import { useLatest } from './use-latest.ts'

/** What a `TimeSeries` shows, and how. */
export interface TimeSeriesProps {
  /** @default 'events' */
  metric?: Metric
  /** Whole buckets that end with the running one: `30m`, `24h`, `7d`. @default '24h' */
  last?: string
  /** Fixed ends in place of `last`. */
  range?: Range
  /** @default minutes up to a day, hours up to two weeks, then days */
  granularity?: Granularity
  /** A dimension: one line for each of its top values. */
  breakdown?: string
  /** The values of the breakdown on top of each other, where they add up. @default false */
  stacked?: boolean
  /** Marks unusual buckets and draws the expected range. @default false */
  anomalies?: boolean | AnomalyOptions
  /** The same buckets a day or a week before, beside those of today. */
  compare?: Compare
  /** Over the filters around. */
  filters?: Filters
  /** IANA zone of hours and days. @default the project's */
  timezone?: string
  /** In place of the metric's name; null for none. */
  title?: ReactNode
  /** Of the plot, in px. @default 280 */
  height?: number
  /** Charts with the same one move their cursors together; null for none. @default 'nowcast' */
  syncId?: string | null
  /** The viewer can drag over the plot to see a part of it more closely. @default true */
  zoomable?: boolean
  /** Called instead of zooming by itself: undefined ends the zoom. */
  onZoom?: (range: ZoomRange | undefined) => void
  className?: string
}

function spanOf(range: Range): number {
  return 'last' in range ? spanMs(range.last) : range.to - range.from
}

/**
 * A metric over time, live.
 *
 * @example <TimeSeries metric="revenue" last="24h" breakdown="country" stacked />
 */
export function TimeSeries(props: TimeSeriesProps) {
  const { metric = 'events', last = '24h', breakdown, filters, timezone, height = 280, className } = props
  const { anomalies, stacked = false, compare, syncId = 'nowcast', zoomable = true, onZoom } = props
  const { labels } = useNowcast()
  const [zoom, setZoom] = useState<ZoomRange>()
  const range = (onZoom ? undefined : zoom) ?? props.range ?? { last }
  // A zoom looks closer: its buckets are those of its own length.
  const granularity = (zoom ? undefined : props.granularity) ?? granularityOf(spanOf(range))
  const query = { kind: 'series', metric, granularity, range, breakdown, filters, timezone } as const
  const { data, ...state } = useLive({ ...query, anomalies: anomalies || undefined })
  const answer = useLatest(data)
  const compared = useComparison(query, answer, compare)
  const title = props.title === undefined ? labels.metrics[metric] : props.title
  const isStacked = stacked && breakdown !== undefined && ADDITIVE.has(metric)
  const label = `${labels.metrics[metric]}, ${'last' in range ? `${labels.words.last} ${labels.ranges[range.last] ?? range.last}` : labels.words.zoom}`
  return (
    <Frame
      kind="nowcast-series"
      className={className}
      state={state}
      isWaiting={data === undefined && answer !== undefined}
      label={label}
    >
      {title !== null && <h3 className="nowcast-title">{title}</h3>}
      <SeriesPlot
        model={answer && { answer, dimension: breakdown, isStacked, compared }}
        metric={metric}
        error={data ? undefined : state.error}
        height={height}
        syncId={syncId ?? undefined}
        isZoomed={zoom !== undefined || !('last' in range)}
        onZoom={zoomable ? (onZoom ?? setZoom) : undefined}
      />
    </Frame>
  )
}
