import type { Filters, Metric as MetricName } from '@nowcast/protocol'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { useLive } from '../hooks/use-live.ts'
import type { RenderFigure } from './figure-value.tsx'
import { Tile } from './tile.tsx'

/** What a `Metric` shows, and how. */
export interface MetricProps {
  metric: MetricName
  /** Whole buckets that end with the running one: `30m`, `24h`, `7d`. @default '24h' */
  last?: string
  /** In place of the metric's own. */
  label?: string
  /** Over the filters around. */
  filters?: Filters
  className?: string
  /** Writes the figure in your own way. */
  renderValue?: RenderFigure
}

/**
 * One metric over a range, with its change since the range before.
 *
 * @example <Metric metric="average_order_value" last="7d" />
 */
export function Metric({ metric, last = '24h', label, filters, className, renderValue }: MetricProps) {
  const { labels } = useNowcast()
  const { data, ...state } = useLive({ kind: 'total', metric, range: { last }, filters })
  const own = `${labels.metrics[metric]}, ${labels.words.last} ${labels.ranges[last] ?? last}`
  return (
    <Tile
      label={label ?? own}
      metric={metric}
      against={labels.words.previousRange}
      state={state}
      figure={data && { ...data, previous: data.previous?.v }}
      hasSpark={false}
      renderValue={renderValue}
      className={className}
    />
  )
}
