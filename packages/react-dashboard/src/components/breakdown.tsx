import type { BreakdownAnswer, Filters, Metric } from '@nowcast/protocol'
import type { ReactNode } from 'react'
import { longValue, shortValue } from '../format/format-value.ts'
import { METRIC_UNIT } from '../format/metric-unit.ts'
import { valueName } from '../format/value-name.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { useFilters } from '../hooks/use-filters.ts'
import { useLive } from '../hooks/use-live.ts'
import { Frame } from './frame.tsx'
import { useLatest } from './use-latest.ts'
import { ViewMessage } from './view-message.tsx'

export interface BreakdownProps {
  /** A dimension: `country`, `device`, `category`, `name` … */
  dimension: string
  /** @default 'events' */
  metric?: Metric
  /** Whole buckets that end with the running one. @default '24h' */
  last?: string
  /** Most rows. @default 8 */
  limit?: number
  /** Over the filters around. */
  filters?: Filters
  /** In place of the dimension's name; null for none. */
  title?: ReactNode
  className?: string
}

const UNFILTERABLE = '(other)'

/**
 * The values of a dimension with the most of a metric. A click on one filters everything inside the provider by it.
 *
 * @example <Breakdown dimension="country" metric="revenue" />
 */
export function Breakdown(props: BreakdownProps) {
  const { dimension, metric = 'events', last = '24h', limit = 8, filters, className } = props
  const { labels } = useNowcast()
  const query = { kind: 'breakdown', breakdown: dimension, metric, range: { last }, limit, filters } as const
  const { data, status, error } = useLive(query, { unfiltered: [dimension] })
  const shown = useLatest(data)
  const name = labels.dimensions[dimension] ?? dimension
  const title = props.title === undefined ? name : props.title
  const isWaiting = data === undefined && shown !== undefined
  return (
    <Frame
      kind="nowcast-breakdown"
      className={className}
      status={isWaiting && status === 'loading' ? 'stale' : status}
      label={`${name}, ${labels.metrics[metric]}`}
    >
      <header className="nowcast-breakdown-head">
        {title !== null && <h3 className="nowcast-title">{title}</h3>}
        <span>{labels.metrics[shown?.metric ?? metric]}</span>
      </header>
      {error && !data && <ViewMessage error={error} />}
      {!error && shown?.rows.length === 0 && <ViewMessage error={undefined} />}
      {shown && (data || !error) && <BreakdownRows answer={shown} />}
      {!shown && !error && <RowsSkeleton count={limit} />}
    </Frame>
  )
}

function BreakdownRows({ answer }: { answer: BreakdownAnswer }) {
  const { labels, locale } = useNowcast()
  const { chosen, toggleFilter } = useFilters()
  const { breakdown: dimension, rows } = answer
  const style = { ...answer, unit: METRIC_UNIT[answer.metric], locale }
  const most = Math.max(...rows.map(({ v }) => Math.abs(v)), Number.MIN_VALUE)
  return (
    <ol className="nowcast-rows">
      {rows.map(({ key, v, exact }) => (
        <li key={key}>
          <button
            type="button"
            className="nowcast-row"
            aria-pressed={chosen[dimension]?.includes(key) ?? false}
            disabled={key === UNFILTERABLE}
            onClick={() => toggleFilter(dimension, key)}
          >
            <span className="nowcast-row-bar" style={{ width: `${(Math.max(0, v) / most) * 100}%` }} />
            <span className="nowcast-row-name" title={key}>
              {valueName(dimension, key, labels, locale)}
            </span>
            <span className="nowcast-row-value" title={longValue(v, style, exact)}>
              {shortValue(v, style)}
            </span>
          </button>
        </li>
      ))}
    </ol>
  )
}

function RowsSkeleton({ count }: { count: number }) {
  return (
    <div className="nowcast-rows">
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are alike and never move
        <div key={index} className="nowcast-row">
          <span className="nowcast-skeleton">&nbsp;</span>
        </div>
      ))}
    </div>
  )
}
