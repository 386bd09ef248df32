import type { Metric } from '@nowcast/protocol'
import { type KeyboardEvent, lazy, Suspense, useRef, useState } from 'react'
import { BUCKET_MS } from '../chart/compared-series.ts'
import { type ZoomRange, zoomRange } from '../chart/zoom-range.ts'
import type { NowcastError } from '../client/nowcast-error.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { AnomalyAnnouncement } from './anomaly-announcement.tsx'
import { ChartBoundary } from './chart-boundary.tsx'
import type { ChartModel } from './chart-model.ts'
import { ChartTable } from './chart-table.tsx'
import { Legend } from './legend.tsx'
import { useBrush } from './use-brush.ts'
import { EmptyMessage, ErrorMessage } from './view-message.tsx'

export interface SeriesPlotProps {
  model: ChartModel | undefined
  metric: Metric
  error: NowcastError | undefined
  height: number
  syncId: string | undefined
  isZoomed: boolean
  /** Undefined where the viewer cannot zoom. */
  onZoom: ((range: ZoomRange | undefined) => void) | undefined
}

const SeriesChart = /* @__PURE__ */ lazy(() => import('./series-chart.tsx'))

function shownRange({ answer }: ChartModel): ZoomRange {
  const points = answer.series[0]?.points ?? []
  return { from: points[0]?.t ?? 0, to: (points.at(-1)?.t ?? 0) + BUCKET_MS[answer.granularity] }
}

function isEmpty({ answer }: ChartModel): boolean {
  return answer.series.every(({ points }) => points.every(({ v }) => v === 0))
}

/** A chart or its table, what can be done with it, and what is said in its place. */
export function SeriesPlot({ model, metric, error, height, syncId, isZoomed, onZoom }: SeriesPlotProps) {
  const { labels } = useNowcast()
  const { words } = labels
  const [isTable, setTable] = useState(false)
  const [isPointedAt, setPointedAt] = useState(false)
  const activeT = useRef<number>(undefined)
  const shown = model && shownRange(model)
  const canZoom = onZoom !== undefined && shown !== undefined && !isTable

  const { brush, handlers } = useBrush(canZoom, (one, other) => {
    if (!shown) return
    const at = (share: number) => shown.from + share * (shown.to - shown.from)
    onZoom?.(zoomRange(at(one), at(other), shown))
  })

  function zoomByKey(event: KeyboardEvent) {
    if (!canZoom || !onZoom || event.ctrlKey || event.metaKey) return
    if (event.key === '+' || event.key === '=') {
      const middle = activeT.current ?? (shown.from + shown.to) / 2
      const half = (shown.to - shown.from) / 8
      onZoom(zoomRange(middle - half, middle + half, shown))
    } else if (event.key === '-' && isZoomed) onZoom(undefined)
  }

  const label = `${labels.metrics[metric]}. ${onZoom ? words.zoom : ''}`.trim()
  const skeleton = <div className="nowcast-plot nowcast-skeleton" style={{ height }} />
  const chart = model && (
    <ChartBoundary fallback={<p className="nowcast-message">{words.failed}</p>}>
      <Suspense fallback={skeleton}>
        <SeriesChart {...{ model, height, syncId, activeT, isPointedAt, label }} />
      </Suspense>
    </ChartBoundary>
  )
  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the chart inside has the focus and the name */}
      <div
        className="nowcast-plot-area"
        style={{ height }}
        data-zoomable={canZoom || undefined}
        onPointerEnter={() => setPointedAt(true)}
        onPointerLeave={() => setPointedAt(false)}
        onFocus={() => setPointedAt(true)}
        onBlur={() => setPointedAt(false)}
        onKeyDown={zoomByKey}
        {...handlers}
      >
        {!model && !error && skeleton}
        {!error &&
          (isTable && model ? <ChartTable model={model} height={height} label={labels.metrics[metric]} /> : chart)}
        {brush && (
          <div
            className="nowcast-brush"
            style={{ left: Math.min(brush.from, brush.to), width: Math.abs(brush.to - brush.from) }}
          />
        )}
        {error ? <ErrorMessage error={error} /> : model && isEmpty(model) && <EmptyMessage metric={metric} />}
      </div>
      <div className="nowcast-plot-foot">
        {model ? <Legend model={model} /> : <span className="nowcast-legend" />}
        {isZoomed && onZoom && (
          <button type="button" className="nowcast-link" onClick={() => onZoom(undefined)}>
            {words.resetZoom}
          </button>
        )}
        <button type="button" className="nowcast-link" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          {words.showTable}
        </button>
      </div>
      {model && (
        <AnomalyAnnouncement key={`${metric} ${model.answer.granularity} ${model.dimension}`} answer={model.answer} />
      )}
    </>
  )
}
