import type { SeriesAnswer } from '@nowcast/protocol'
import { useMemo } from 'react'
import { CartesianGrid, Line, LineChart, Tooltip, XAxis, YAxis } from 'recharts'
import { tickTime } from '../format/format-time.ts'
import { axisValue } from '../format/format-value.ts'
import { METRIC_UNIT } from '../format/metric-unit.ts'
import { timeTicks } from '../format/time-ticks.ts'
import { valueTicks } from '../format/value-ticks.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { chartExtent } from './chart-extent.ts'
import { ChartLines } from './chart-lines.tsx'
import { ChartTooltip } from './chart-tooltip.tsx'

export interface SeriesChartProps {
  answer: SeriesAnswer
  dimension: string | undefined
  height: number
}

const MARGIN = { top: 8, right: 8, bottom: 0, left: 0 }

/** The part of a time series that needs the chart library; loaded when the first chart is shown. */
export default function SeriesChart({ answer, dimension, height }: SeriesChartProps) {
  const { locale } = useNowcast()
  const { series, timezone, metric, currency } = answer
  const points = series[0]?.points ?? []
  const from = points[0]?.t ?? 0
  const to = points.at(-1)?.t ?? 0
  const style = { unit: METRIC_UNIT[metric], currency, locale }
  const times = useMemo(() => timeTicks(from, to, timezone), [from, to, timezone])
  const values = useMemo(() => valueTicks(...chartExtent(series), style.unit === 'count'), [series, style.unit])
  return (
    <LineChart className="nowcast-plot" responsive style={{ width: '100%', height }} data={points} margin={MARGIN}>
      <CartesianGrid stroke="var(--_nowcast-border)" vertical={false} />
      <XAxis
        dataKey="t"
        type="number"
        scale="time"
        domain={[from, to]}
        ticks={times}
        tickFormatter={(t: number) => tickTime(t, timezone, locale)}
        tickLine={false}
        axisLine={false}
        tickMargin={8}
        minTickGap={24}
        interval="equidistantPreserveStart"
      />
      <YAxis
        width={52}
        domain={[values[0]!, values.at(-1)!]}
        ticks={values}
        allowDataOverflow
        tickFormatter={(v: number) => axisValue(v, style)}
        tickLine={false}
        axisLine={false}
      />
      <Tooltip
        isAnimationActive={false}
        cursor={{ className: 'nowcast-cursor' }}
        content={({ active, label }) =>
          active ? <ChartTooltip answer={answer} dimension={dimension} t={Number(label)} /> : null
        }
      />
      {/* Drawn by ChartLines; this one tells the tooltip where the buckets are. */}
      <Line dataKey="v" stroke="none" dot={false} activeDot={false} isAnimationActive={false} />
      <ChartLines series={series} />
    </LineChart>
  )
}
