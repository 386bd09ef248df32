import type { Filters, FunnelAnswer, FunnelStep, Range } from '@nowcast/protocol'
import type { ReactNode } from 'react'
import { shortValue } from '../format/format-value.ts'
import { valueName } from '../format/value-name.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { useLive } from '../hooks/use-live.ts'
import { FigureValue, figureOf, type RenderFigure } from './figure-value.tsx'
import { Frame } from './frame.tsx'
import { useLatest } from './use-latest.ts'
import { EmptyMessage, ErrorMessage } from './view-message.tsx'

/** The steps of a `Funnel`, and how they are shown. */
export interface FunnelProps {
  /** In their order; a user is counted once, and each step later than the one before. */
  steps: FunnelStep[]
  /** The longest time from first step to last: `30m`, `1h`, `7d`. @default '1h' */
  window?: string
  /** Whole buckets that end with the running one. @default '24h' */
  last?: string
  /** Fixed ends in place of `last`. */
  range?: Range
  /** Over the filters around. */
  filters?: Filters
  /** @default none */
  title?: ReactNode
  className?: string
  /** Writes a step's number of users in your own way. */
  renderValue?: RenderFigure
}

/** History is read for it: not every second. */
const EVERY_MS = 10_000

/**
 * How many users went from step to step.
 *
 * @example <Funnel steps={[{ name: 'page_view' }, { name: 'purchase' }]} window="30m" />
 */
export function Funnel({ steps, window = '1h', last = '24h', range = { last }, filters, ...props }: FunnelProps) {
  const { labels, locale } = useNowcast()
  const query = { kind: 'funnel', steps, window, range, filters, every: EVERY_MS } as const
  const { data, ...state } = useLive(query, { enabled: steps.length > 1 })
  const shown = useLatest(data)
  const names = steps.map(({ name }) => valueName('name', name, labels, locale))
  const isEmpty = shown !== undefined && (shown.steps[0]?.users ?? 0) === 0
  return (
    <Frame
      kind="nowcast-funnel"
      className={props.className}
      state={state}
      isWaiting={data === undefined && shown !== undefined}
      label={`${labels.words.steps}: ${names.join(', ')}`}
    >
      {props.title && <h3 className="nowcast-title">{props.title}</h3>}
      {state.error && !data && <ErrorMessage error={state.error} />}
      {isEmpty && <EmptyMessage metric="events" />}
      {shown && !isEmpty && (data || !state.error) && <FunnelSteps answer={shown} renderValue={props.renderValue} />}
      {!shown && !state.error && <FunnelSkeleton count={steps.length} />}
    </Frame>
  )
}

function FunnelSteps({ answer, renderValue }: { answer: FunnelAnswer; renderValue: RenderFigure | undefined }) {
  const { labels, locale } = useNowcast()
  const { words } = labels
  const count = { unit: 'count', approximate: answer.approximate, locale } as const
  const share = { unit: 'percent', locale } as const
  return (
    <ol className="nowcast-funnel-steps">
      {answer.steps.map(({ name, users, rate, stepRate }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same event may be two steps
        <li key={`${index} ${name}`} className="nowcast-funnel-step">
          <p className="nowcast-funnel-head">
            <span className="nowcast-funnel-name">
              {index + 1}. {valueName('name', name, labels, locale)}
            </span>
            <span className="nowcast-funnel-value">
              <FigureValue figure={figureOf(users, count, undefined)} render={renderValue} /> {words.users}
            </span>
          </p>
          <div className="nowcast-funnel-track">
            <div className="nowcast-funnel-bar" style={{ width: `${(rate * 100).toFixed(2)}%` }} />
          </div>
          <p className="nowcast-funnel-rates">
            {index > 0 && (
              <>
                <strong>{shortValue(stepRate, share)}</strong> {words.ofPrevious} · {shortValue(rate, share)}{' '}
                {words.ofFirst}
              </>
            )}
            {'\u00a0'}
          </p>
        </li>
      ))}
    </ol>
  )
}

function FunnelSkeleton({ count }: { count: number }) {
  return (
    <div className="nowcast-funnel-steps">
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the steps are alike and never move
        <div key={index} className="nowcast-funnel-step">
          <p className="nowcast-funnel-head">
            <span className="nowcast-skeleton">&nbsp;</span>
          </p>
          <div className="nowcast-funnel-track" />
          <p className="nowcast-funnel-rates">&nbsp;</p>
        </div>
      ))}
    </div>
  )
}
