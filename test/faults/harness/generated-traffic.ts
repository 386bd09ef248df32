import type { EventInput } from '@nowcast/protocol'
import type { SeededRandom } from './seeded-random.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const NAMES = ['page_view', 'click', 'purchase', 'error', 'signup'] as const
const COUNTRIES = ['US', 'DE', 'FR', 'JP'] as const
/** One `recent` answer shows all ordered events of a sender. */
const ORDERED_EVENTS = 100

/** An event whose time and revenue are known before it is sent. */
export interface KnownEvent extends EventInput {
  id: string
  timestamp: number
  category: string
  properties: { run: string; sender?: string; place?: number }
}

/** A batch, and the key it must be sent with. */
export interface KnownBatch {
  key: 'write' | 'secret'
  events: KnownEvent[]
}

export interface TrafficOptions {
  random: SeededRandom
  /** Tells the events of several generators apart. */
  name: string
  /** The time that "three months ago" is counted from, epoch ms. */
  startedAt: number
}

/** How old the oldest events are, ms. */
export const OLDEST_MS = 92 * DAY_MS
/** Filter by it and only raw rows of the archive can answer. */
export const RUN = 'faults'

/** Makes batches for one client: of several senders, on time, late, or spread over three months; some with revenue. */
export function generateTraffic({ random, name, startedAt }: TrafficOptions): () => KnownBatch {
  let sent = 0
  let senders = 0
  let ordered = { sender: '', place: ORDERED_EVENTS }

  const revenueOf = () => {
    const units = random.between(-50_000, 2_000_000)
    return `${units < 0 ? '-' : ''}${Math.floor(Math.abs(units) / 10_000)}.${String(Math.abs(units) % 10_000).padStart(4, '0')}`
  }

  const eventAt = (timestamp: number): KnownEvent => {
    const event: KnownEvent = {
      id: `${name}-${sent++}`,
      name: random.pick(NAMES),
      timestamp,
      anonymousId: `${name}-visitor-${random.between(0, 40)}`,
      sessionId: `${name}-session-${random.between(0, 60)}`,
      category: random.pick(['shoes', 'hats', '(none)']),
      context: { country: random.pick(COUNTRIES) },
      properties: { run: RUN },
    }
    if (event.name === 'purchase' || random.chance(0.2)) event.revenue = revenueOf()
    return event
  }

  /** The next event of a sender whose events all bear the same time, so that only the log tells their order. */
  const orderedEvent = (): KnownEvent => {
    if (ordered.place === ORDERED_EVENTS) ordered = { sender: `${name}-ordered-${senders++}`, place: 0 }
    const { sender } = ordered
    // A time of few senders: whoever looks at it reads few rows. Not a category of its own: of these there is a cap.
    const event = eventAt(startedAt - 2 * MINUTE_MS - senders)
    return { ...event, anonymousId: sender, properties: { run: RUN, sender, place: ordered.place++ } }
  }

  return () => {
    const size = random.chance(0.1) ? random.between(60, 300) : random.between(1, 40)
    const isOld = random.chance(0.25)
    const events = Array.from({ length: size }, () => {
      if (isOld) return eventAt(startedAt - random.between(0, OLDEST_MS - DAY_MS))
      if (random.chance(0.15)) return orderedEvent()
      const now = Date.now()
      if (random.chance(0.2)) return eventAt(now - random.between(MINUTE_MS, 23 * HOUR_MS))
      return eventAt(now - random.between(0, 2000))
    })
    return { key: isOld || random.chance(0.3) ? 'secret' : 'write', events }
  }
}
