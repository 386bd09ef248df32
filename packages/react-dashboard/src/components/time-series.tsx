import type { AnomalyOptions, Filters, Granularity, Metric } from '@nowcast/protocol'
import { lazy, type ReactNode, Suspense } from 'react'
import { spanMs } from '../client/span-ms.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { useLive } from '../hooks/use-live.ts'
import { ChartBoundary } from './chart-boundary.tsx'
import { Frame } from './frame.tsx'
import { Legend } from './legend.tsx'
import { useLatest } from './use-latest.ts'
import { ViewMessage } from './view-message.tsx'

export interface TimeSeriesProps {
  /** @default 'events' */
  metric?: Metric
  /** Whole buckets that end with the running one: `30m`, `24h`, `7d`. @default '24h' */
  last?: string
  /** @default minutes up to a day, hours up to two weeks, then days */
  granularity?: Granularity
  /** A dimension: one line for each of its top values. */
  breakdown?: string
  /** Marks unusual buckets and draws the expected range. @default false */
  anomalies?: boolean | AnomalyOptions
  /** Over the filters around. */
  filters?: Filters
  /** IANA zone of hours and days. @default the project's */
  timezone?: string
  /** In place of the metric's name; null for none. */
  title?: ReactNode
  /** Of the plot, in px. @default 280 */
  height?: number
  className?: string
}

const SeriesChart = lazy(() => import('./series-chart.tsx'))
const DAY_MS = 86_400_000

function granularityOf(last: string): Granularity {
  const span = spanMs(last)
  return span <= DAY_MS ? 'minute' : span <= 14 * DAY_MS ? 'hour' : 'day'
}

/**
 * A metric over time, live.
 *
 * @example <TimeSeries metric="revenue" last="24h" breakdown="country" />
 */
export function TimeSeries(props: TimeSeriesProps) {
  const { metric = 'events', last = '24h', granularity = granularityOf(last), breakdown } = props
  const { anomalies = false, filters, timezone, height = 280, className } = props
  const { labels } = useNowcast()
  const query = { metric, granularity, range: { last }, breakdown, filters, timezone } as const
  const { data, status, error } = useLive({ kind: 'series', ...query, anomalies: anomalies || undefined })
  const shown = useLatest(data)
  const isWaiting = data === undefined && shown !== undefined
  const title = props.title === undefined ? labels.metrics[metric] : props.title
  const isEmpty = shown?.series.every(({ points }) => points.every(({ v }) => v === 0)) ?? false
  const skeleton = <div className="nowcast-plot nowcast-skeleton" style={{ height }} />
  return (
    <Frame
      kind="nowcast-series"
      className={className}
      status={isWaiting && status === 'loading' ? 'stale' : status}
      label={`${labels.metrics[metric]}, ${labels.words.last} ${labels.ranges[last] ?? last}`}
    >
      {title !== null && <h3 className="nowcast-title">{title}</h3>}
      <div className="nowcast-plot-area" style={{ height }}>
        {!shown && !error && skeleton}
        {shown && !(error && isWaiting) && (
          <ChartBoundary fallback={<p className="nowcast-message">{labels.words.failed}</p>}>
            <Suspense fallback={skeleton}>
              <SeriesChart answer={shown} dimension={breakdown} height={height} />
            </Suspense>
          </ChartBoundary>
        )}
        {error && !data ? <ViewMessage error={error} /> : isEmpty && <ViewMessage error={undefined} />}
      </div>
      {breakdown && <Legend dimension={breakdown} keys={shown?.series.map(({ key }) => key) ?? []} />}
    </Frame>
  )
}
