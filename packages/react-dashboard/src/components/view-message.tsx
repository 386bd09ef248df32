import type { NowcastError } from '../client/nowcast-error.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'

/** Says in a component's place why it shows no figures. */
export function ViewMessage({ error }: { error: NowcastError | undefined }) {
  const { words } = useNowcast().labels
  if (!error) return <p className="nowcast-message">{words.empty}</p>
  if (error.code === 'network') return <p className="nowcast-message">{words.unreachable}</p>
  return (
    <p className="nowcast-message" data-tone="bad">
      {error.message} <code>{error.code}</code>
    </p>
  )
}
