import type { Series } from '@nowcast/protocol'
import { type RefObject, useEffect, useId } from 'react'
import { useActiveTooltipLabel, usePlotArea, useXAxisScale, useYAxisScale } from 'recharts'
import { anomalyMarks } from '../chart/anomaly-marks.ts'
import { areaPath, bandPath, closedPath, partialPath, type Scales } from '../chart/chart-path.ts'
import { seriesColor } from '../chart/series-color.ts'
import { ChartStack } from './chart-stack.tsx'
import { useShownChart } from './shown-chart.ts'

/**
 * The lines of a chart, and what belongs to them. One path a line: with the library's own lines, a day of minutes in
 * eight series took five times as long to update.
 */
export function ChartLines({ activeT }: { activeT: RefObject<number | undefined> }) {
  const { model } = useShownChart()
  const x = useXAxisScale()
  const y = useYAxisScale()
  const width = usePlotArea()?.width
  const active = useActiveTooltipLabel()
  useEffect(() => {
    activeT.current = active === undefined ? undefined : Number(active)
  }, [active, activeT])
  if (!x || !y || !width) return null
  const scales: Scales = { x: (t) => x(t) ?? 0, y: (v) => y(v) ?? 0, width }
  const { series } = model.answer
  const [first] = series
  const isSingle = series.length === 1 && first !== undefined
  return (
    <g className="nowcast-lines">
      {isSingle && <Surroundings series={first} scales={scales} />}
      {model.compared && (
        <path
          className="nowcast-line nowcast-compared"
          d={closedPath(model.compared.points, scales)}
          data-with={model.compared.with}
        />
      )}
      {model.isStacked ? (
        <ChartStack series={series} scales={scales} />
      ) : (
        series.map(({ key, points }, index) => (
          <g key={key} stroke={seriesColor(index, key)}>
            <path className="nowcast-line" d={closedPath(points, scales)} />
            <path className="nowcast-line nowcast-partial" d={partialPath(points, scales)} />
          </g>
        ))
      )}
      {isSingle && <AnomalyMarks series={first} scales={scales} />}
      {active !== undefined && !model.isStacked && <ActiveMarks series={series} scales={scales} t={Number(active)} />}
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

/** Strong ones are filled diamonds, faint ones small open circles: told apart, and from the line, without colour. */
function AnomalyMarks({ series: { points }, scales: { x, y } }: LayerProps) {
  return (
    <g className="nowcast-anomalies">
      {anomalyMarks(points, x).map(({ t, v, isStrong }) => {
        const [left, top] = [Math.round(x(t) * 10) / 10, Math.round(y(v) * 10) / 10]
        return isStrong ? (
          <path key={t} data-strong d={`M${left},${top - 5}l5,5l-5,5l-5,-5z`} />
        ) : (
          <circle key={t} cx={left} cy={top} r={2.5} />
        )
      })}
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
