import type { Series } from '@nowcast/protocol'
import { useId } from 'react'
import { useActiveTooltipLabel, useXAxisScale, useYAxisScale } from 'recharts'
import { areaPath, bandPath, closedPath, partialPath, type Scales } from './chart-path.ts'
import { seriesColor } from './series-color.ts'

/** Deviations from which an anomaly is drawn in full; below it is faint. */
const STRONG = 3

/**
 * The lines of a chart, and what belongs to them. One path a line: with the library's own lines, a day of minutes in
 * eight series took five times as long to update.
 */
export function ChartLines({ series }: { series: Series[] }) {
  const x = useXAxisScale()
  const y = useYAxisScale()
  const active = useActiveTooltipLabel()
  if (!x || !y) return null
  const scales: Scales = { x: (t) => x(t) ?? 0, y: (v) => y(v) ?? 0 }
  const [first] = series
  return (
    <g className="nowcast-lines">
      {series.length === 1 && first && <Surroundings series={first} scales={scales} />}
      {series.map(({ key, points }, index) => (
        <g key={key} stroke={seriesColor(index, key)}>
          <path className="nowcast-line" d={closedPath(points, scales)} />
          <path className="nowcast-line nowcast-partial" d={partialPath(points, scales)} />
        </g>
      ))}
      {series.length === 1 && first && <AnomalyMarks series={first} scales={scales} />}
      {active !== undefined && <ActiveMarks series={series} scales={scales} t={Number(active)} />}
    </g>
  )
}

interface LayerProps {
  series: Series
  scales: Scales
}

function Surroundings({ series: { points }, scales }: LayerProps) {
  const gradient = useId().replace(/[^\w-]/g, '')
  return (
    <>
      <linearGradient id={gradient} x1="0" y1="0" x2="0" y2="1">
        <stop className="nowcast-fill-top" offset="0" />
        <stop className="nowcast-fill-bottom" offset="1" />
      </linearGradient>
      <path d={areaPath(points, scales)} fill={`url(#${gradient})`} />
      <path className="nowcast-band" d={bandPath(points, scales)} />
    </>
  )
}

function AnomalyMarks({ series: { points }, scales: { x, y } }: LayerProps) {
  return (
    <g className="nowcast-anomalies">
      {points.map(
        ({ t, v, anomaly }) =>
          anomaly && (
            <circle key={t} cx={x(t)} cy={y(v)} r={3.5} data-strong={Math.abs(anomaly.score) >= STRONG || undefined} />
          ),
      )}
    </g>
  )
}

function ActiveMarks({ series, scales: { x, y }, t }: { series: Series[]; scales: Scales; t: number }) {
  return (
    <g className="nowcast-active">
      {series.map(({ key, points }, index) => {
        const point = points.find((one) => one.t === t)
        return point && <circle key={key} cx={x(t)} cy={y(point.v)} r={4} fill={seriesColor(index, key)} />
      })}
    </g>
  )
}
