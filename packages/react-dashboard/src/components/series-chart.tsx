import { type RefObject, useMemo } from 'react'
import { CartesianGrid, Line, LineChart, Tooltip, XAxis, YAxis } from 'recharts'
import { chartExtent } from '../chart/chart-extent.ts'
import { tickTime } from '../format/format-time.ts'
import { axisValue } from '../format/format-value.ts'
import { METRIC_UNIT } from '../format/metric-unit.ts'
import { timeTicks } from '../format/time-ticks.ts'
import { valueTicks } from '../format/value-ticks.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { ChartLines } from './chart-lines.tsx'
import type { ChartModel } from './chart-model.ts'
import { ChartTooltip } from './chart-tooltip.tsx'
import { PLOT_LEFT_PX, PLOT_RIGHT_PX } from './plot-edges.ts'
import { ShownChart, useShownChart } from './shown-chart.ts'
import { useSame } from './use-same.ts'

export interface SeriesChartProps {
  model: ChartModel
  height: number
  /** Charts with the same one move their cursors together. */
  syncId: string | undefined
  /** Receives the bucket that is pointed at. */
  activeT: RefObject<number | undefined>
  /** The tooltip is shown: of charts whose cursors move together, in the one that is pointed at. */
  isPointedAt: boolean
  label: string
}

const MARGIN = { top: 8, right: PLOT_RIGHT_PX, bottom: 0, left: 0 }

/** The part of a time series that needs the chart library; loaded when the first chart is shown. */
export default function SeriesChart({ model, height, syncId, activeT, isPointedAt, label }: SeriesChartProps) {
  const { locale } = useNowcast()
  const { series, timezone, metric, currency } = model.answer
  const points = series[0]?.points ?? []
  const from = points[0]?.t ?? 0
  const to = points.at(-1)?.t ?? 0
  const drawn = model.compared ? [...series, { key: null, points: model.compared.points }] : series
  const [low, high] = chartExtent(drawn, model.isStacked)
  const unit = METRIC_UNIT[metric]
  const values = useSame(valueTicks(low, high, unit === 'count'))
  const times = useSame(useMemo(() => timeTicks(from, to, timezone), [from, to, timezone]))
  // The library knows where the buckets are, and not what is in them: it has nothing to do while they stay the same.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the points change every second, their times do not
  const buckets = useMemo(() => points.map(({ t }) => ({ t, v: 0 })), [from, to, points.length])
  // For the same reason it is not rendered either: what changes every second comes to its place through the context.
  const plot = useMemo(() => {
    const style = { unit, currency, locale }
    return (
      <LineChart
        className="nowcast-plot"
        responsive
        style={{ width: '100%', height }}
        data={buckets}
        margin={MARGIN}
        {...(syncId !== undefined && { syncId, syncMethod: 'value' })}
        aria-label={label}
      >
        <CartesianGrid stroke="var(--_nowcast-border)" vertical={false} />
        <XAxis
          dataKey="t"
          type="number"
          scale="time"
          domain={[buckets[0]?.t ?? 0, buckets.at(-1)?.t ?? 0]}
          ticks={[...times]}
          tickFormatter={(t: number) => tickTime(t, timezone, locale)}
          tickLine={false}
          axisLine={false}
          tickMargin={8}
          minTickGap={24}
          interval="equidistantPreserveStart"
        />
        <YAxis
          width={PLOT_LEFT_PX}
          domain={[values[0]!, values.at(-1)!]}
          ticks={[...values]}
          allowDataOverflow
          tickFormatter={(v: number) => axisValue(v, style)}
          tickLine={false}
          axisLine={false}
        />
        <Tooltip
          isAnimationActive={false}
          cursor={{ className: 'nowcast-cursor' }}
          content={({ active, label: t }) => (active ? <PointedAt t={Number(t)} /> : null)}
        />
        {/* Drawn by ChartLines; this one tells the tooltip where the buckets are. */}
        <Line dataKey="v" stroke="none" dot={false} activeDot={false} isAnimationActive={false} />
        <ChartLines activeT={activeT} />
      </LineChart>
    )
  }, [buckets, times, values, timezone, unit, currency, locale, height, syncId, label, activeT])
  const shown = useMemo(() => ({ model, isPointedAt }), [model, isPointedAt])
  return <ShownChart.Provider value={shown}>{plot}</ShownChart.Provider>
}

function PointedAt({ t }: { t: number }) {
  const { model, isPointedAt } = useShownChart()
  return isPointedAt ? <ChartTooltip model={model} t={t} /> : null
}
