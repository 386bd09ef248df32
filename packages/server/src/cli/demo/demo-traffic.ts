import type { EventInput } from '@nowcast/protocol'
import { type Audience, activityOf, BOTS, COUNTRIES } from './audience.ts'
import { CATALOGUE } from './catalogue.ts'
import { type Incident, scheduledIncidents } from './incidents.ts'
import { createRandom, type Random } from './random.ts'
import { SESSION_MS, walkSession } from './session.ts'
import { pickVisitor } from './visitor.ts'

const MINUTE_MS = 60_000
const SESSION_MINUTES = SESSION_MS / MINUTE_MS
/** Events of one session, on average, as the tests check. */
const EVENTS_PER_SESSION = 7.1
/** Of all events. */
const BOT_SHARE = 0.06
const EVENTS_PER_CRAWL = 9
/** Extra visitors of a campaign, to all others. */
const CAMPAIGN_SHARE = 1.6

export interface DemoTrafficOptions {
  /** The same seed gives the same events, with the same ids. */
  seed: number
  /**
   * Mean over a day, or a function of time for traffic that grows. At a lower rate there are fewer of the same
   * sessions. @default 20
   */
  eventsPerSecond?: number | ((atMs: number) => number)
  /** @default one every three hours, of changing kinds */
  incidents?: readonly Incident[]
}

export interface DemoTraffic {
  /**
   * The events of a span, oldest first; `from` inclusive, `to` exclusive, both epoch ms. A span in parts gives the
   * same events as the whole.
   */
  eventsBetween(fromMs: number, toMs: number): EventInput[]
  /** What can be noticed in a span. */
  incidentsBetween(fromMs: number, toMs: number): Incident[]
}

type Minute = number

/** A shop's traffic as a pure function of seed and time. */
export function createDemoTraffic(options: DemoTrafficOptions): DemoTraffic {
  const { seed, eventsPerSecond = 20, incidents } = options
  const rateAt = typeof eventsPerSecond === 'number' ? () => eventsPerSecond : eventsPerSecond
  /** Events by the minute their session began in, then by their own. */
  const starts = new Map<Minute, Map<Minute, EventInput[]>>()
  let current: { minute: Minute; events: EventInput[] } | undefined

  function incidentsBetween(fromMs: number, toMs: number): Incident[] {
    if (!incidents) return scheduledIncidents(seed, fromMs, toMs)
    return incidents.filter((incident) => incident.fromMs < toMs && incident.toMs > fromMs)
  }

  function startedIn(minute: Minute): Map<Minute, EventInput[]> {
    let byMinute = starts.get(minute)
    if (byMinute) return byMinute
    byMinute = new Map()
    for (const event of sessionsOf(minute)) {
      const own = Math.floor((event.timestamp as number) / MINUTE_MS)
      const events = byMinute.get(own)
      if (events) events.push(event)
      else byMinute.set(own, [event])
    }
    starts.set(minute, byMinute)
    return byMinute
  }

  function sessionsOf(minute: Minute): EventInput[] {
    const startMs = minute * MINUTE_MS
    const perMinute = rateAt(startMs) * 60
    const around = incidentsBetween(startMs, startMs + SESSION_MS)
    const audiences = COUNTRIES.map((audience) => ({
      audience,
      weight: audience.weight * activityOf(audience, startMs),
    }))
    const weights = COUNTRIES.reduce((sum, { weight }) => sum + weight, 0)
    const activity = audiences.reduce((sum, { weight }) => sum + weight, 0) / weights
    const visits = (perMinute * (1 - BOT_SHARE) * activity) / EVENTS_PER_SESSION
    const campaign = around.find(({ kind, fromMs, toMs }) => kind === 'campaign' && fromMs <= startMs && startMs < toMs)

    const session = (kind: string, number: number, audienceOf: (random: Random) => Audience): EventInput[] => {
      const random = createRandom(seed, kind, minute, number)
      const visitor = pickVisitor(seed, audienceOf(random), random)
      return walkSession({
        id: `demo-${seed.toString(36)}-${minute.toString(36)}-${kind}${number}`,
        startMs: startMs + random.below(MINUTE_MS),
        visitor,
        random,
        incidents: around,
        ...(kind === 'c' && { campaign }),
      })
    }
    const events: EventInput[] = []
    for (let i = countOf('s', minute, visits) - 1; i >= 0; i--) {
      events.push(...session('s', i, (random) => random.weighted(audiences).audience))
    }
    const bots = (perMinute * BOT_SHARE) / EVENTS_PER_CRAWL
    for (let i = countOf('b', minute, bots) - 1; i >= 0; i--) events.push(...crawl(minute, i))
    if (campaign) {
      const target = COUNTRIES.find(({ country }) => country === campaign.country)!
      const extra = countOf('c', minute, visits * CAMPAIGN_SHARE)
      for (let i = extra - 1; i >= 0; i--) {
        events.push(...session('c', i, (random) => (random.chance(0.8) ? target : random.weighted(COUNTRIES))))
      }
    }
    return events
  }

  /** A number around a mean, like Poisson's; it never falls as the mean rises. */
  function countOf(kind: string, minute: Minute, mean: number): number {
    const random = createRandom(seed, 'count', kind, minute)
    return Math.max(0, Math.floor(mean + Math.max(-1, random.normal()) * Math.sqrt(mean) + random.next()))
  }

  function crawl(minute: Minute, number: number): EventInput[] {
    const random = createRandom(seed, 'bot', minute, number)
    const { name, userAgent } = random.weighted(BOTS)
    const sessionId = `demo-${seed.toString(36)}-${minute.toString(36)}-b${number}`
    const anonymousId = `bot-${name}-${random.below(20)}`
    let at = minute * MINUTE_MS + random.below(MINUTE_MS)
    return Array.from({ length: 3 + random.below(2 * EVENTS_PER_CRAWL - 5) }, (_, step) => {
      const { category } = random.weighted(CATALOGUE)
      at += 300 + random.below(3000)
      return {
        id: `${sessionId}-${step}`,
        name: 'page_view',
        timestamp: at,
        anonymousId,
        sessionId,
        url: `https://shop.example/c/${category}?page=${1 + random.below(30)}`,
        category,
        context: { country: 'US', userAgent },
      }
    })
  }

  function eventsOf(minute: Minute): EventInput[] {
    if (current?.minute === minute) return current.events
    const events: EventInput[] = []
    for (let start = minute - SESSION_MINUTES; start <= minute; start++) {
      for (const event of startedIn(start).get(minute) ?? []) events.push(event)
    }
    for (const start of starts.keys()) {
      if (start < minute - SESSION_MINUTES || start > minute + SESSION_MINUTES) starts.delete(start)
    }
    events.sort((a, b) => (a.timestamp as number) - (b.timestamp as number) || (a.id! < b.id! ? -1 : 1))
    current = { minute, events }
    return events
  }

  return {
    incidentsBetween,
    eventsBetween(fromMs, toMs) {
      const events: EventInput[] = []
      for (let minute = Math.floor(fromMs / MINUTE_MS); minute * MINUTE_MS < toMs; minute++) {
        for (const event of eventsOf(minute)) {
          const at = event.timestamp as number
          if (at >= fromMs && at < toMs) events.push(event)
        }
      }
      return events
    },
  }
}
