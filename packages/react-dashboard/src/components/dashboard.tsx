import type { Granularity, Metric, TileName } from '@nowcast/protocol'
import { type ReactNode, useState } from 'react'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { Breakdown } from './breakdown.tsx'
import { Choice } from './choice.tsx'
import { ConnectionStatus } from './connection-status.tsx'
import { FilterBar } from './filter-bar.tsx'
import { Frame } from './frame.tsx'
import { OverviewTile } from './overview-tile.tsx'
import { TimeSeries } from './time-series.tsx'

export interface DashboardProps {
  /** @default 'Dashboard', from the labels */
  title?: ReactNode
  className?: string
}

const TILES: readonly TileName[] = [
  'activeUsers',
  'eventsPerSecond',
  'revenueLastHour',
  'pageViewsLastHour',
  'errorRateLastHour',
  'conversionRateLastHour',
]
const METRICS: readonly Metric[] = ['events', 'users', 'revenue', 'page_views', 'error_rate', 'conversion_rate']
const RANGES = ['1h', '24h', '7d', '30d'] as const
const GRANULARITY: Record<(typeof RANGES)[number], Granularity> = {
  '1h': 'minute',
  '24h': 'minute',
  '7d': 'hour',
  '30d': 'day',
}

/** Everything at a glance: tiles, one large chart, and what the figures are made of. */
export function Dashboard({ title, className }: DashboardProps) {
  const { labels } = useNowcast()
  const { words } = labels
  const [metric, setMetric] = useState<Metric>('events')
  const [range, setRange] = useState<(typeof RANGES)[number]>('24h')
  const granularity = GRANULARITY[range]
  // A minute's distinct users say less than those of the five minutes up to it.
  const charted = metric === 'users' && granularity === 'minute' ? 'active_users' : metric
  return (
    <Frame kind="nowcast-dashboard" className={className}>
      <header className="nowcast-dashboard-head">
        <h2>{title ?? words.dashboard}</h2>
        <ConnectionStatus />
        <FilterBar last={range} />
      </header>
      <div className="nowcast-tiles">
        {TILES.map((name) => (
          <OverviewTile key={name} name={name} />
        ))}
      </div>
      <div className="nowcast-card">
        <div className="nowcast-card-head">
          <Choice
            label={words.metric}
            options={METRICS}
            value={metric}
            nameOf={(option) => labels.metrics[option]}
            onChoose={setMetric}
          />
          <Choice
            label={words.range}
            options={RANGES}
            value={range}
            nameOf={(option) => labels.ranges[option] ?? option}
            onChoose={setRange}
          />
        </div>
        <TimeSeries metric={charted} last={range} granularity={granularity} title={null} height={300} anomalies />
      </div>
      <div className="nowcast-breakdowns">
        {['country', 'device', 'category'].map((dimension) => (
          <Breakdown key={dimension} dimension={dimension} metric={metric} last={range} />
        ))}
      </div>
    </Frame>
  )
}
