import type { Filters, RecentEvent } from '@nowcast/protocol'
import { type ReactNode, useState } from 'react'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { useLive } from '../hooks/use-live.ts'
import { Frame } from './frame.tsx'
import { RecentEventRow } from './recent-event-row.tsx'
import { useLatest } from './use-latest.ts'
import { EmptyMessage, ErrorMessage } from './view-message.tsx'

/** What `RecentEvents` shows, and how. */
export interface RecentEventsProps {
  /** Most events, at most 100. @default 20 */
  limit?: number
  /** Over the filters around. */
  filters?: Filters
  /** In place of the title of its own; null for none. */
  title?: ReactNode
  className?: string
  /** Writes what is said of an event in your own way. */
  renderEvent?: (event: RecentEvent) => ReactNode
}

/**
 * The newest events as they come in, and each one's properties on demand. It stands still on request.
 *
 * @example <RecentEvents limit={50} filters={{ name: ['purchase'] }} />
 */
export function RecentEvents({ limit = 20, filters, className, renderEvent, ...props }: RecentEventsProps) {
  const { words } = useNowcast().labels
  const { data, ...state } = useLive({ kind: 'recent', limit, filters })
  const latest = useLatest(data)
  const [held, setHeld] = useState<RecentEvent[]>()
  const events = held ?? latest?.events
  const known = new Set(held?.map(({ id }) => id))
  const missed = held ? (latest?.events.filter(({ id }) => !known.has(id)).length ?? 0) : 0
  const title = props.title === undefined ? words.recentEvents : props.title
  return (
    <Frame
      kind="nowcast-recent"
      className={className}
      state={state}
      isWaiting={data === undefined && latest !== undefined}
      label={words.recentEvents}
    >
      <div className="nowcast-recent-head">
        {title !== null && <h3 className="nowcast-title">{title}</h3>}
        <button
          type="button"
          className="nowcast-link"
          aria-pressed={held !== undefined}
          disabled={!latest}
          onClick={() => setHeld(held ? undefined : latest?.events)}
        >
          {held ? words.resume : words.pause}
          {missed > 0 && ` · ${words.newEvents.replace('{count}', String(missed))}`}
        </button>
      </div>
      {state.error && !data && <ErrorMessage error={state.error} />}
      {!state.error && events?.length === 0 && <EmptyMessage metric="events" />}
      {latest && events && (data || !state.error) && (
        <ol className="nowcast-events">
          {events.map((event) => (
            <RecentEventRow key={event.id} event={event} timezone={latest.timezone} renderEvent={renderEvent} />
          ))}
        </ol>
      )}
      {!events && !state.error && <EventsSkeleton count={limit} />}
    </Frame>
  )
}

function EventsSkeleton({ count }: { count: number }) {
  return (
    <div className="nowcast-events">
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are alike and never move
        <div key={index} className="nowcast-event">
          <div className="nowcast-event-line">
            <span className="nowcast-skeleton">&nbsp;</span>
          </div>
        </div>
      ))}
    </div>
  )
}
