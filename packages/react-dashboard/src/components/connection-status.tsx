import { useNowcast } from '../hooks/nowcast-context.ts'
import { useConnection } from '../hooks/use-connection.ts'
import { Frame } from './frame.tsx'

/** A dot and a word: whether the figures are live. */
export function ConnectionStatus({ className }: { className?: string }) {
  const { labels } = useNowcast()
  const { status, error } = useConnection()
  return (
    <Frame kind="nowcast-connection" className={className}>
      <span className="nowcast-connection-state" data-connection={status} role="status" title={error?.message}>
        <span className="nowcast-connection-dot" aria-hidden="true" />
        {labels.connection[status]}
      </span>
    </Frame>
  )
}
