import type { Anomaly, Excluded, Metric } from '@nowcast/protocol'
import type { ViewState } from '../client/view.ts'
import { changeOf } from '../format/change-of.ts'
import { longValue, shortValue } from '../format/format-value.ts'
import { LESS_IS_BETTER, METRIC_UNIT } from '../format/metric-unit.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { ChangeNote } from './change-note.tsx'
import { Frame } from './frame.tsx'
import { Sparkline } from './sparkline.tsx'
import { ViewMessage } from './view-message.tsx'

/** One figure, and what is known about it. */
export interface TileFigure {
  v: number
  previous: number
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
  state: Pick<ViewState, 'status' | 'error'>
  figure: TileFigure | undefined
  hasSpark: boolean
  className?: string | undefined
}

/** One large figure with its change and its last hour. */
export function Tile({ label, metric, against, state, figure, hasSpark, className }: TileProps) {
  const isMessage = !figure && state.error
  return (
    <Frame
      kind={hasSpark ? 'nowcast-tile nowcast-tile-spark' : 'nowcast-tile'}
      className={className}
      status={state.status}
      label={label}
    >
      <h3 className="nowcast-tile-label">{label}</h3>
      {figure && <TileBody figure={figure} metric={metric} against={against} hasSpark={hasSpark} />}
      {isMessage && <ViewMessage error={state.error} />}
      {!figure && !isMessage && <TileSkeleton hasSpark={hasSpark} />}
    </Frame>
  )
}

function TileBody(props: { figure: TileFigure; metric: Metric; against: string; hasSpark: boolean }) {
  const { labels, locale } = useNowcast()
  const { figure, metric, against, hasSpark } = props
  const style = { ...figure, unit: METRIC_UNIT[metric], locale }
  const change = changeOf(figure.v, figure.previous, style, labels.words.percentagePoints)
  return (
    <>
      <p className="nowcast-tile-value" title={longValue(figure.v, style, figure.exact)}>
        {shortValue(figure.v, style)}
        {figure.anomaly && <AnomalyBadge anomaly={figure.anomaly} metric={metric} />}
      </p>
      <ChangeNote change={change} against={against} isLessBetter={LESS_IS_BETTER.has(metric)} />
      {figure.excluded?.map(({ currency, events }) => (
        <p key={currency} className="nowcast-note">
          {events} × {currency}: {labels.words.excluded}
        </p>
      ))}
      {hasSpark && <Sparkline values={figure.spark ?? []} />}
    </>
  )
}

function AnomalyBadge({ anomaly, metric }: { anomaly: Anomaly; metric: Metric }) {
  const { labels, locale } = useNowcast()
  const style = { unit: METRIC_UNIT[metric], locale }
  const range = `${labels.words.expected} ${shortValue(anomaly.low, style)} – ${shortValue(anomaly.high, style)}`
  return (
    <span className="nowcast-badge" title={range}>
      {labels.words.unusual}
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
