import type { Anomaly, Excluded, Metric } from '@nowcast/protocol'
import type { ViewState } from '../client/view.ts'
import { changeOf } from '../format/change-of.ts'
import { longValue, shortValue } from '../format/format-value.ts'
import { LESS_IS_BETTER, METRIC_UNIT } from '../format/metric-unit.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { ChangeNote } from './change-note.tsx'
import { FigureValue, figureOf, type RenderFigure } from './figure-value.tsx'
import { Frame } from './frame.tsx'
import { Sparkline } from './sparkline.tsx'
import { ErrorMessage } from './view-message.tsx'

/** One figure, and what is known about it. */
export interface TileFigure {
  v: number
  /** Undefined while it is not known. */
  previous: number | undefined
  exact?: string | undefined
  approximate?: boolean | undefined
  currency?: string | undefined
  spark?: readonly number[] | undefined
  anomaly?: Anomaly | undefined
  excluded?: Excluded[] | undefined
}

export interface TileProps {
  label: string
  metric: Metric
  /** What the change is measured against. */
  against: string
  state: Pick<ViewState, 'status' | 'error' | 'staleSince'>
  figure: TileFigure | undefined
  hasSpark: boolean
  renderValue: RenderFigure | undefined
  className?: string | undefined
}

/** One large figure with its change and its last hour. */
export function Tile({ label, metric, against, state, figure, hasSpark, renderValue, className }: TileProps) {
  return (
    <Frame
      kind={hasSpark ? 'nowcast-tile nowcast-tile-spark' : 'nowcast-tile'}
      className={className}
      state={state}
      label={label}
    >
      <h3 className="nowcast-tile-label">{label}</h3>
      <div className="nowcast-tile-body">
        {figure && <TileBody {...{ figure, metric, against, hasSpark, renderValue }} />}
        {!figure && state.error && <ErrorMessage error={state.error} />}
        {!figure && !state.error && <TileSkeleton hasSpark={hasSpark} />}
      </div>
    </Frame>
  )
}

type TileBodyProps = Pick<TileProps, 'metric' | 'against' | 'hasSpark' | 'renderValue'> & { figure: TileFigure }

function TileBody({ figure, metric, against, hasSpark, renderValue }: TileBodyProps) {
  const { labels, locale } = useNowcast()
  const style = { ...figure, unit: METRIC_UNIT[metric], locale }
  const { previous } = figure
  return (
    <>
      <div className="nowcast-tile-figure">
        <p className="nowcast-tile-value" title={longValue(figure.v, style, figure.exact)}>
          <FigureValue figure={figureOf(figure.v, style, figure.exact)} render={renderValue} />
        </p>
        {figure.anomaly && <AnomalyBadge anomaly={figure.anomaly} metric={metric} currency={figure.currency} />}
      </div>
      {previous !== undefined && (
        <ChangeNote
          change={changeOf(figure.v, previous, style, labels.words.percentagePoints)}
          against={against}
          before={longValue(previous, style)}
          isLessBetter={LESS_IS_BETTER.has(metric)}
        />
      )}
      {figure.excluded?.map(({ currency, events }) => (
        <p key={currency} className="nowcast-note">
          {events} × {currency}: {labels.words.excluded}
        </p>
      ))}
      {hasSpark && <Sparkline values={figure.spark ?? []} />}
    </>
  )
}

function AnomalyBadge({ anomaly, metric, currency }: { anomaly: Anomaly; metric: Metric; currency?: string }) {
  const { labels, locale } = useNowcast()
  const style = { unit: METRIC_UNIT[metric], locale, currency }
  const { words } = labels
  const word = anomaly.score > 0 ? words.unusuallyHigh : words.unusuallyLow
  return (
    <span
      className="nowcast-badge"
      title={`${word}: ${words.expected} ${shortValue(anomaly.low, style)} – ${shortValue(anomaly.high, style)}`}
    >
      <span aria-hidden="true">{anomaly.score > 0 ? '▲' : '▼'}</span> <span>{words.unusual}</span>
    </span>
  )
}

function TileSkeleton({ hasSpark }: { hasSpark: boolean }) {
  return (
    <>
      <p className="nowcast-tile-value">
        <span className="nowcast-skeleton">&nbsp;</span>
      </p>
      <p className="nowcast-change">
        <span className="nowcast-skeleton">&nbsp;</span>
      </p>
      {hasSpark && <div className="nowcast-spark" />}
    </>
  )
}
