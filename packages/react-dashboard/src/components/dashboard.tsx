import type { Granularity, Metric, Range, TileName } from '@nowcast/protocol'
import { type ReactNode, useRef, useState } from 'react'
import type { Compare } from '../chart/compared-series.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { BreakdownTabs } from './breakdown-tabs.tsx'
import { Choice } from './choice.tsx'
import { CompareMenu } from './compare-menu.tsx'
import { ConnectionStatus } from './connection-status.tsx'
import { FilterBar } from './filter-bar.tsx'
import { Frame } from './frame.tsx'
import { OverviewTile } from './overview-tile.tsx'
import { TimeSeries } from './time-series.tsx'

/** What a dashboard shows, as the viewer has chosen it. */
export interface DashboardView {
  metric: Metric
  range: Range
  compare?: Compare | undefined
}

/** How a `Dashboard` begins, and who hears of changes. */
export interface DashboardProps {
  /** @default 'Dashboard', from the labels; null for no heading */
  title?: ReactNode
  /** What it shows at first. @default events of the last 24 hours */
  defaultView?: Partial<DashboardView>
  /** What it shows, where your page holds that itself; `onViewChange` then says what the viewer wants. */
  view?: Partial<DashboardView>
  /** Called when the viewer has chosen something else to see. */
  onViewChange?: (view: DashboardView) => void
  className?: string
}

const USUAL: DashboardView = { metric: 'events', range: { last: '24h' } }
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
const GRANULARITY: Record<string, Granularity> = { '1h': 'minute', '24h': 'minute', '7d': 'hour', '30d': 'day' }
const BREAKDOWNS = [
  ['country', 'referrer_host'],
  ['device', 'browser', 'os'],
  ['name', 'category', 'path'],
] as const

/** Everything at a glance: tiles, one large chart, and what the figures are made of. */
export function Dashboard({ title, defaultView, onViewChange, className, ...props }: DashboardProps) {
  const { labels } = useNowcast()
  const { words } = labels
  const [own, setOwn] = useState<DashboardView>({ ...USUAL, ...defaultView })
  const view = props.view ? { ...USUAL, ...props.view } : own

  const { metric, range, compare } = view
  const last = 'last' in range ? range.last : undefined
  const before = useRef<Range>({ last: '24h' })
  if (last) before.current = range
  const granularity = last ? GRANULARITY[last] : undefined
  function choose(choice: Partial<DashboardView>) {
    const next = { ...view, ...choice }
    setOwn(next)
    onViewChange?.(next)
  }
  // A minute's distinct users say less than those of the five minutes up to it.
  const charted = metric === 'users' && (granularity ?? 'minute') === 'minute' ? 'active_users' : metric
  return (
    <Frame kind="nowcast-dashboard" className={className}>
      <div className="nowcast-dashboard-head">
        {title !== null && <h2>{title ?? words.dashboard}</h2>}
        <ConnectionStatus />
        <FilterBar last={last ?? '24h'} />
      </div>
      <div className="nowcast-tiles">
        {TILES.map((name) => (
          <OverviewTile key={name} name={name} />
        ))}
      </div>
      <div className="nowcast-card">
        <div className="nowcast-card-head">
          <Choice
            label={words.metric}
            options={METRICS.includes(metric) ? METRICS : [...METRICS, metric]}
            value={metric}
            nameOf={(option) => labels.metrics[option]}
            onChoose={(option) => choose({ metric: option })}
          />
          <div className="nowcast-card-controls">
            <CompareMenu value={compare} onChoose={(option) => choose({ compare: option })} />
            <Choice
              label={words.range}
              options={RANGES}
              value={last}
              nameOf={(option) => labels.ranges[option] ?? option}
              onChoose={(option) => choose({ range: { last: option } })}
            />
          </div>
        </div>
        <TimeSeries
          metric={charted}
          range={range}
          {...(granularity && { granularity })}
          {...(compare && { compare })}
          onZoom={(zoom) => choose({ range: zoom ?? before.current })}
          title={null}
          height={300}
          anomalies
        />
      </div>
      <div className="nowcast-breakdowns">
        {BREAKDOWNS.map((dimensions) => (
          <BreakdownTabs key={dimensions[0]} dimensions={dimensions} metric={metric} range={range} />
        ))}
      </div>
    </Frame>
  )
}
