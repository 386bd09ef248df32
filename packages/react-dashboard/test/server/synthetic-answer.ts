import type {
  Answer,
  AnswerBase,
  Granularity,
  LiveQuery,
  Metric,
  Point,
  RecentEvent,
  Series,
  Tile,
  TileName,
} from '@nowcast/protocol'

const SHARES: Record<string, Record<string, number>> = {
  country: { US: 0.31, DE: 0.18, GB: 0.13, FR: 0.1, NL: 0.07, ES: 0.05, '(none)': 0.04, '(other)': 0.12 },
  device: { mobile: 0.54, desktop: 0.39, tablet: 0.05, other: 0.02 },
  category: { shoes: 0.34, jackets: 0.22, bags: 0.16, accessories: 0.11, '(none)': 0.17 },
  name: { page_view: 0.71, click: 0.17, search: 0.06, purchase: 0.04, error: 0.02 },
}
/** Per minute, at the mean of the day. */
const LEVELS: Record<Metric, number> = {
  events: 840,
  page_views: 610,
  clicks: 140,
  purchases: 18,
  errors: 9,
  revenue: 1240,
  active_users: 1310,
  users: 420,
  sessions: 450,
  events_per_second: 14,
  error_rate: 0.011,
  conversion_rate: 0.034,
  average_order_value: 68.9,
}
const STEP_MS: Record<Granularity, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }
const STEADY: readonly Metric[] = ['error_rate', 'conversion_rate', 'average_order_value', 'active_users', 'users']
const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Between 0 and 1, the same for the same arguments. */
function noise(...seeds: (string | number)[]): number {
  let hash = 2166136261
  for (const letter of seeds.join('|')) hash = Math.imul(hash ^ letter.charCodeAt(0), 16777619)
  hash = Math.imul(hash ^ (hash >>> 15), 2246822507)
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32
}

/** What a synthetic shop would answer at `now`; `boost` multiplies the running bucket. */
export function syntheticAnswer(query: LiveQuery, now: number, boost = 1): Answer {
  const metric = query.metric ?? 'events'
  const base: AnswerBase = { metric, asOf: now, approximate: /users|sessions/.test(metric), tookMs: 2 }
  const currency = metric === 'revenue' || metric === 'average_order_value' ? { currency: 'EUR' } : {}
  const share = shareOfFilters(query)

  if (query.kind === 'overview') return { ...base, kind: 'overview', tiles: tiles(now, boost, share) }
  if (query.kind === 'recent')
    return { ...base, kind: 'recent', timezone: 'Asia/Tokyo', events: recentEvents(query.limit ?? 50, now) }
  if (query.kind === 'funnel')
    return { ...base, kind: 'funnel', steps: funnelSteps(query, share), window: query.window ?? '1h' }
  if (query.kind === 'total') {
    const v = Math.round(LEVELS[metric] * 1440 * share * boost)
    return { ...base, ...currency, kind: 'total', v, previous: { v: Math.round(v * 0.93) } }
  }
  if (query.kind === 'breakdown') {
    const of = query.breakdown ?? 'country'
    const rows = Object.entries(SHARES[of] ?? { '(none)': 1 })
      .sort((a, b) => b[1] - a[1])
      .map(([key, part]) => ({
        key,
        v: Math.round(LEVELS[metric] * 1440 * part * share * boost),
        share: part,
      }))
      .slice(0, query.limit ?? 10)
    return { ...base, ...currency, kind: 'breakdown', breakdown: of, rows }
  }
  const granularity = query.granularity ?? 'minute'
  const keys = query.breakdown ? Object.entries(SHARES[query.breakdown] ?? {}) : [[null, 1] as const]
  const series = keys.map(([key, part]): Series => {
    const points = pointsOf(query, metric, granularity, now, part * share, boost, key ?? '')
    return { key, points: query.anomalies ? withAnomalies(points) : points }
  })
  return { ...base, ...currency, kind: 'series', granularity, timezone: query.timezone ?? 'Europe/Berlin', series }
}

function shareOfFilters(query: LiveQuery): number {
  const parts = Object.entries(query.filters ?? {}).map(([dimension, values]) =>
    values.reduce((sum, value) => sum + (SHARES[dimension]?.[value] ?? 0), 0),
  )
  return parts.reduce((product, part) => product * part, 1)
}

function pointsOf(
  query: LiveQuery,
  metric: Metric,
  granularity: Granularity,
  now: number,
  share: number,
  boost: number,
  key: string,
): Point[] {
  const step = STEP_MS[granularity]
  const range = query.range ?? { last: '24h' }
  const spanMs =
    'last' in range
      ? Number.parseInt(range.last, 10) * UNIT_MS[range.last.at(-1) as keyof typeof UNIT_MS]
      : range.to - range.from
  const count = Math.max(1, Math.floor(spanMs / step))
  const running = Math.floor(now / step) * step
  const end = 'last' in range ? running : Math.floor((range.to - 1) / step) * step
  return Array.from({ length: count }, (_, index) => {
    const t = end - (count - 1 - index) * step
    const elapsed = t === running ? Math.max(0.02, (now - t) / step) * boost : 1
    return {
      ...pointAt(t, metric, granularity, share * elapsed, key),
      ...(t === running ? { partial: true as const } : {}),
    }
  })
}

function pointAt(t: number, metric: Metric, granularity: Granularity, part: number, key: string): Point {
  const isSteady = STEADY.includes(metric)
  const scale = isSteady || metric === 'events_per_second' ? 1 : STEP_MS[granularity] / 60_000
  const daily = granularity === 'day' ? 1 : 1 + 0.55 * Math.sin(((t / 3_600_000 - 9) / 24) * 2 * Math.PI)
  const spike = granularity === 'minute' && (t / 60_000) % 397 === 0 ? 1.9 : 1
  const jitter = 1 + (noise(metric, key, t) - 0.5) * (granularity === 'minute' ? 0.3 : 0.16)
  const v = LEVELS[metric] * scale * daily * jitter * spike * (metric.endsWith('_rate') ? Math.min(1, part * 4) : part)
  if (metric === 'revenue') return { t, v: Math.round(v * 100) / 100, exact: v.toFixed(4) }
  return { t, v: LEVELS[metric] < 20 ? v : Math.round(v) }
}

function withAnomalies(points: Point[]): Point[] {
  return points.map((point, index) => {
    const before = points.slice(Math.max(0, index - 60), index).map(({ v }) => v)
    if (before.length < 10 || point.partial) return point
    const expected = before.reduce((sum, v) => sum + v, 0) / before.length
    const deviation = Math.sqrt(before.reduce((sum, v) => sum + (v - expected) ** 2, 0) / (before.length - 1))
    const band = { expected, low: expected - 2 * deviation, high: expected + 2 * deviation }
    const score = (point.v - expected) / (deviation || 1)
    return Math.abs(score) > 3 ? { ...point, band, anomaly: { ...band, score } } : { ...point, band }
  })
}

function funnelSteps(query: LiveQuery, share: number) {
  return (query.steps ?? []).map(({ name }, index) => {
    const users = Math.round(8000 * share * 0.4 ** index)
    return { name, users, rate: 0.4 ** index, stepRate: index === 0 ? 1 : 0.4 }
  })
}

function recentEvents(count: number, now: number): RecentEvent[] {
  const second = Math.floor(now / 1000)
  return Array.from({ length: count }, (_, index) => {
    const t = (second - index) * 1000
    return { id: `e${t}`, name: 'page_view', t, country: 'DE', device: 'mobile', category: '(none)', anonymousId: 'a1' }
  })
}

function tiles(now: number, boost: number, share: number): Record<TileName, Tile> {
  const tile = (metric: Metric, v: number, previous: number): Tile => ({
    v,
    previous,
    spark: pointsOf({ kind: 'series', range: { last: '60m' } }, metric, 'minute', now, share, boost, '').map(
      (point) => point.v,
    ),
  })
  return {
    activeUsers: { ...tile('active_users', Math.round(1284 * boost * share), 1190 * share), approximate: true },
    eventsPerSecond: tile('events_per_second', 14.2 * boost * share, 14.9 * share),
    revenueLastHour: {
      ...tile('revenue', 74_312.4 * boost * share, 66_120 * share),
      exact: (74_312.4 * boost * share).toFixed(4),
      currency: 'EUR',
    },
    pageViewsLastHour: tile('page_views', Math.round(36_480 * boost * share), Math.round(35_900 * share)),
    errorRateLastHour: {
      ...tile('error_rate', 0.0124, 0.0108),
      anomaly: { score: 2.6, expected: 0.0109, low: 0.0097, high: 0.0121 },
    },
    conversionRateLastHour: tile('conversion_rate', 0.0341, 0.0341),
  }
}

/** The same answer as before the first event. */
export function emptied(answer: Answer): Answer {
  const blank: Record<string, unknown> = {
    v: 0,
    exact: '0.0000',
    users: 0,
    rate: 0,
    stepRate: 0,
    rows: [],
    events: [],
    band: undefined,
    anomaly: undefined,
  }
  return JSON.parse(JSON.stringify(answer), (name, value) => {
    if (name === 'spark') return value.map(() => 0)
    if (name === 'previous' && typeof value === 'number') return 0
    return name in blank ? blank[name] : value
  })
}
