import type { BreakdownAnswer, Filters, Metric, Range } from '@nowcast/protocol'
import type { ReactNode } from 'react'
import { METRIC_UNIT } from '../format/metric-unit.ts'
import { valueName } from '../format/value-name.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { useFilters } from '../hooks/use-filters.ts'
import { useLive } from '../hooks/use-live.ts'
import { FigureValue, figureOf, type RenderFigure } from './figure-value.tsx'
import { Frame } from './frame.tsx'
import { shownRows } from './shown-rows.ts'
import { useLatest } from './use-latest.ts'
import { EmptyMessage, ErrorMessage } from './view-message.tsx'

/** What a `Breakdown` shows, and how. */
export interface BreakdownProps {
  /** A dimension: `country`, `device`, `category`, `name` … */
  dimension: string
  /** @default 'events' */
  metric?: Metric
  /** Whole buckets that end with the running one. @default '24h' */
  last?: string
  /** Fixed ends in place of `last`. */
  range?: Range
  /** Most rows. @default 8 */
  limit?: number
  /** Over the filters around. */
  filters?: Filters
  /** In place of the dimension's name; null for none. */
  title?: ReactNode
  className?: string
  /** Writes a row's figure in your own way. */
  renderValue?: RenderFigure
}

const UNFILTERABLE = '(other)'

/**
 * The values of a dimension with the most of a metric. A click on one filters everything inside the provider by it.
 *
 * @example <Breakdown dimension="country" metric="revenue" />
 */
export function Breakdown(props: BreakdownProps) {
  const { dimension, metric = 'events', last = '24h', range = { last }, limit = 8, filters, className } = props
  const { labels } = useNowcast()
  const query = { kind: 'breakdown', breakdown: dimension, metric, range, limit, filters } as const
  const { data, ...state } = useLive(query, { unfiltered: [dimension] })
  const shown = useLatest(data)
  const name = labels.dimensions[dimension] ?? dimension
  const title = props.title === undefined ? name : props.title
  return (
    <Frame
      kind="nowcast-breakdown"
      className={className}
      state={state}
      isWaiting={data === undefined && shown !== undefined}
      label={`${name}, ${labels.metrics[metric]}`}
    >
      <div className="nowcast-breakdown-head">
        {title !== null && <h3 className="nowcast-title">{title}</h3>}
        <span>{labels.metrics[shown?.metric ?? metric]}</span>
      </div>
      <div className="nowcast-breakdown-body" style={{ minHeight: limit * ROW_PX }}>
        {state.error && !data && <ErrorMessage error={state.error} />}
        {!state.error && shown?.rows.length === 0 && <EmptyMessage metric={metric} />}
        {shown && (data || !state.error) && <BreakdownRows answer={shown} renderValue={props.renderValue} />}
        {!shown && !state.error && <RowsSkeleton count={limit} />}
      </div>
    </Frame>
  )
}

/** A row and the gap below it. */
const ROW_PX = 34

function BreakdownRows({ answer, renderValue }: { answer: BreakdownAnswer; renderValue: RenderFigure | undefined }) {
  const { labels, locale } = useNowcast()
  const { chosen, toggleFilter } = useFilters()
  const { breakdown: dimension } = answer
  const isChosen = (key: string) => chosen[dimension]?.includes(key) ?? false
  const rows = shownRows(answer.rows, isChosen)
  const style = { ...answer, unit: METRIC_UNIT[answer.metric], locale }
  const named = rows.filter(({ key }) => key !== UNFILTERABLE)
  // What is left over may be more than any value: it is no value, and its bar stops at the edge.
  const most = Math.max(...named.map(({ v }) => Math.abs(v)), Number.MIN_VALUE)
  return (
    <ol className="nowcast-rows">
      {rows.map(({ key, v, exact }) => (
        <li key={key}>
          <button
            type="button"
            className="nowcast-row"
            data-others={key === UNFILTERABLE || undefined}
            aria-pressed={isChosen(key)}
            disabled={key === UNFILTERABLE}
            onClick={() => toggleFilter(dimension, key)}
          >
            <span
              className="nowcast-row-bar"
              style={{ width: `${Math.min(100, Math.max(0, (v / most) * 100)).toFixed(2)}%` }}
            />
            <span className="nowcast-row-name" title={key}>
              {valueName(dimension, key, labels, locale)}
            </span>
            <span className="nowcast-row-value">
              <FigureValue figure={figureOf(v, style, exact)} render={renderValue} />
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
