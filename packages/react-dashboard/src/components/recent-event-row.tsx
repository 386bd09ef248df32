import { NONE, type RecentEvent } from '@nowcast/protocol'
import { type ReactNode, useState } from 'react'
import { clockTime } from '../format/format-time.ts'
import { longValue } from '../format/format-value.ts'
import { valueName } from '../format/value-name.ts'
import { useNowcast } from '../hooks/nowcast-context.ts'

export interface RecentEventRowProps {
  event: RecentEvent
  timezone: string
  renderEvent: ((event: RecentEvent) => ReactNode) | undefined
}

/** The path of an address; the text itself where it is none. */
function pathOf(url: string): string {
  try {
    return new URL(url).pathname
  } catch {
    return url
  }
}

/** One event in a line; what else is known of it opens below. */
export function RecentEventRow({ event, timezone, renderEvent }: RecentEventRowProps) {
  const { locale } = useNowcast()
  const [isOpen, setOpen] = useState(false)
  return (
    <li className="nowcast-event">
      <button type="button" className="nowcast-event-line" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <time dateTime={new Date(event.t).toISOString()} title={timezone}>
          {clockTime(event.t, timezone, locale)}
        </time>
        {renderEvent ? renderEvent(event) : <EventSummary event={event} />}
      </button>
      {isOpen && <pre className="nowcast-event-details">{JSON.stringify(event, undefined, 2)}</pre>}
    </li>
  )
}

function EventSummary({ event }: { event: RecentEvent }) {
  const { labels, locale } = useNowcast()
  const places = [event.category, event.device, event.country]
  const about = (['category', 'device', 'country'] as const)
    .map((dimension, index) => ({ dimension, value: places[index] ?? NONE }))
    .filter(({ value }) => value !== NONE)
    .map(({ dimension, value }) => valueName(dimension, value, labels, locale))
  const { revenue, currency } = event
  return (
    <>
      <strong className="nowcast-event-name" data-event={event.name}>
        {event.name}
      </strong>
      <span className="nowcast-event-where">{event.url ? pathOf(event.url) : (event.title ?? '')}</span>
      <span className="nowcast-event-about">{about.join(' · ')}</span>
      <span className="nowcast-event-revenue">
        {revenue !== undefined && longValue(Number(revenue), { unit: 'money', currency, locale }, revenue)}
      </span>
    </>
  )
}
