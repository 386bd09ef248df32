import type { Metric } from '@nowcast/protocol'
import type { NowcastError } from '../client/nowcast-error.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { eventSnippet } from './event-snippet.ts'

/** Says in a component's place what went wrong, and what to do. */
export function ErrorMessage({ error }: { error: NowcastError }) {
  const { words, advice } = useNowcast().labels
  if (error.code === 'network') return <p className="nowcast-message">{words.unreachable}</p>
  return (
    <p className="nowcast-message" data-tone="bad">
      {error.message} {advice[error.code]} <code>{error.code}</code>
    </p>
  )
}

/** Says that nothing has happened, and how to send an event that would be seen here. */
export function EmptyMessage({ metric }: { metric: Metric }) {
  const { labels, hints } = useNowcast()
  return (
    <p className="nowcast-message nowcast-empty">
      {labels.words.empty}
      {hints && (
        <>
          <small>{labels.words.emptyHint}</small>
          <code>{eventSnippet(metric)}</code>
        </>
      )}
    </p>
  )
}
