import { agoText } from '../format/ago-text.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'
import { useNow } from './use-now.ts'

/** Says how old the figures beside it are. It lies over the corner of its component, so that nothing moves. */
export function StaleNote({ since }: { since: number }) {
  const { labels, locale } = useNowcast()
  const now = useNow()
  return (
    <p className="nowcast-stale-note">
      {labels.words.lastUpdate.replace('{ago}', agoText(Math.max(now, since) - since, locale))}
    </p>
  )
}
