import { COUNTRIES } from './audience.ts'
import { CATALOGUE } from './catalogue.ts'
import { createRandom } from './random.ts'

/**
 * Something an analyst should notice: `error_burst` lets many steps fail, `campaign` brings extra visitors of one
 * country to one category, in `checkout_outage` nobody can pay.
 */
export interface Incident {
  kind: 'error_burst' | 'campaign' | 'checkout_outage'
  fromMs: number
  /** Exclusive. */
  toMs: number
  /** Of a campaign. */
  country?: string
  /** Of a campaign. */
  category?: string
}

const MINUTE_MS = 60_000
/** One incident begins in each such stretch of time. */
const PERIOD_MS = 180 * MINUTE_MS
const KINDS: { weight: number; kind: Incident['kind']; minutes: number; spread: number }[] = [
  { weight: 4, kind: 'campaign', minutes: 14, spread: 10 },
  { weight: 3, kind: 'error_burst', minutes: 5, spread: 5 },
  { weight: 3, kind: 'checkout_outage', minutes: 8, spread: 6 },
]

/** The incidents that touch a span, in order; the same for the same seed. */
export function scheduledIncidents(seed: number, fromMs: number, toMs: number): Incident[] {
  const incidents: Incident[] = []
  for (let period = Math.floor(fromMs / PERIOD_MS) - 1; period * PERIOD_MS < toMs; period++) {
    const incident = incidentOf(seed, period)
    if (incident.fromMs < toMs && incident.toMs > fromMs) incidents.push(incident)
  }
  return incidents
}

function incidentOf(seed: number, period: number): Incident {
  const random = createRandom(seed, 'incident', period)
  const { kind, minutes, spread } = random.weighted(KINDS)
  const fromMs = period * PERIOD_MS + random.below(150) * MINUTE_MS
  const toMs = fromMs + (minutes + random.below(spread)) * MINUTE_MS
  if (kind !== 'campaign') return { kind, fromMs, toMs }
  return {
    kind,
    fromMs,
    toMs,
    country: random.weighted(COUNTRIES).country,
    category: random.weighted(CATALOGUE).category,
  }
}
