export const METRICS = [
  'events',
  'page_views',
  'clicks',
  'purchases',
  'errors',
  'revenue',
  'active_users',
  'users',
  'sessions',
  'events_per_second',
  'error_rate',
  'conversion_rate',
  'average_order_value',
] as const
/** What can be measured. */
export type Metric = (typeof METRICS)[number]

/** Dimensions of every cell: answered live and from the archive. A project adds up to two properties of its own. */
export const HOT_DIMENSIONS = ['country', 'device', 'category', 'name'] as const
/** Dimensions of raw events: answered from the archive. `properties.<key>` is one too. */
export const ARCHIVE_DIMENSIONS = [
  'browser',
  'os',
  'path',
  'referrer_host',
  'utm_source',
  'utm_medium',
  'utm_campaign',
] as const

export const QUERY_KINDS = ['series', 'total', 'breakdown', 'funnel', 'recent', 'overview'] as const
/** What a question asks for. */
export type QueryKind = (typeof QUERY_KINDS)[number]

export const GRANULARITIES = ['minute', 'hour', 'day'] as const
/** How long a bucket is. */
export type Granularity = (typeof GRANULARITIES)[number]

export const QUERY_LIMITS = {
  /** Buckets of one series. */
  buckets: 5000,
  /** Dimensions that are filtered by, those of all steps of a funnel included. */
  filters: 100,
  /** Values in all filters together. */
  filterValues: 1000,
  /** Rows of a breakdown. */
  breakdownRows: 1000,
  /** Keys of a broken-down series, `(other)` aside. */
  seriesKeys: 10,
  /** Events of `recent`. */
  recentEvents: 100,
  /** Steps of a funnel. */
  funnelSteps: 20,
} as const

/**
 * `last` is whole buckets that end with the running one: a number and `m`, `h` or `d` (`30m`, `24h`, `7d`).
 * `from` is inclusive, `to` exclusive, both epoch ms.
 */
export type Range = { last: string } | { from: number; to: number }

/** Dimension → values. Values of one dimension are alternatives; different dimensions must all hold. */
export type Filters = Record<string, string[]>

/**
 * `previous`: mean and standard deviation of the 60 closed buckets before (at least 10). `seasonal`: those of
 * the same minute of day and week in the ten weeks before (at least 3).
 */
export const ANOMALY_BASELINES = ['previous', 'seasonal'] as const
/** What a bucket is compared with. */
export type AnomalyBaseline = (typeof ANOMALY_BASELINES)[number]

/** When a bucket counts as unusual. */
export interface AnomalyOptions {
  /** @default 'previous' */
  baseline?: AnomalyBaseline
  /** Deviations from the baseline that make an anomaly. @default 2 */
  sigma?: number
}

/** An event that a user must have caused, and what must hold for it. */
export interface FunnelStep {
  name: string
  filters?: Filters
}

/** Body of `POST /v1/query`. */
export interface Query {
  kind: QueryKind
  /** @default 'events' */
  metric?: Metric
  /** Of a series. @default 'minute' */
  granularity?: Granularity
  /** @default { last: '24h' } */
  range?: Range
  filters?: Filters
  /** A dimension: of a series (top 10 and `(other)`), of a breakdown or of a funnel. */
  breakdown?: string
  anomalies?: boolean | AnomalyOptions
  /** IANA zone for `hour` and `day`. @default the project's */
  timezone?: string
  /** Count bots too. @default false */
  bots?: boolean
  /** Rows of a breakdown or of a funnel's breakdown (10), or events of `recent` (50). */
  limit?: number
  /** Of a funnel. */
  steps?: FunnelStep[]
  /** Of a funnel: the longest time from first step to last, `30m`, `1h`, `7d`. @default '1h' */
  window?: string
}

/** How far a value lies outside its expected range. */
export interface Anomaly {
  /** Standard deviations from the expected value, signed, at most 99 either way. */
  score: number
  expected: number
  low: number
  high: number
}

/** One bucket of a series. */
export interface Point {
  /** Start of the bucket, epoch ms UTC. */
  t: number
  v: number
  /** Revenue with four places: the value without rounding. */
  exact?: string
  /** The bucket is not closed yet. */
  partial?: true
  /** The expected range of the bucket's value, when anomalies were asked for. */
  band?: { expected: number; low: number; high: number }
  anomaly?: Anomaly
}

/** One line of an answer. */
export interface Series {
  /** The breakdown's value; null without a breakdown. */
  key: string | null
  points: Point[]
}

/** Events that carry a revenue in a currency without a rate: stored, not summed. */
export interface Excluded {
  currency: string
  events: number
}

/** What every answer carries. */
export interface AnswerBase {
  metric: Metric
  /** The server's clock when the answer was made, epoch ms. */
  asOf: number
  /** True for distinct counts, and where a range cuts an hour of months that only hours are kept of: show as `~1.2M`. */
  approximate: boolean
  tookMs: number
  excluded?: Excluded[]
}

/** A metric over time. */
export interface SeriesAnswer extends AnswerBase {
  kind: 'series'
  granularity: Granularity
  timezone: string
  /** ISO 4217, with revenue metrics. */
  currency?: string
  series: Series[]
}

/** One value over a range, and that of the range before. */
export interface TotalAnswer extends AnswerBase {
  kind: 'total'
  v: number
  exact?: string
  currency?: string
  /**
   * The range of the same length before this one; null while the archive, which alone knows it, is away, and where events
   * that the question needs are kept no longer.
   */
  previous: { v: number; exact?: string } | null
}

/** One value of a dimension. */
export interface BreakdownRow {
  key: string
  v: number
  /** Of the sum of all rows, 0–1. */
  share: number
  exact?: string
  /** When anomalies were asked for: what the key's last closed bucket of the granularity is. */
  anomaly?: Anomaly
}

/** The values of a dimension with the most of a metric. */
export interface BreakdownAnswer extends AnswerBase {
  kind: 'breakdown'
  breakdown: string
  currency?: string
  rows: BreakdownRow[]
}

/** How many users came to one step. */
export interface FunnelStepAnswer {
  name: string
  /** Users who came so far. */
  users: number
  /** Of the users of the first step, 0–1. */
  rate: number
  /** Of the users of the step before, 0–1. */
  stepRate: number
}

/** How many users went from step to step. */
export interface FunnelAnswer extends AnswerBase {
  kind: 'funnel'
  steps: FunnelStepAnswer[]
  /** The longest time from first step to last, as asked. */
  window: string
  breakdown?: string
  /** With a breakdown, by the value that a user's first step has: the largest, then `(other)`. */
  rows?: { key: string; steps: FunnelStepAnswer[] }[]
}

/** One event as it is stored. */
export interface RecentEvent {
  id: string
  name: string
  /** Event time, epoch ms. */
  t: number
  country: string
  device: string
  category: string
  userId?: string
  anonymousId?: string
  url?: string
  title?: string
  revenue?: string
  currency?: string
  properties?: Record<string, unknown>
}

/** The newest events. */
export interface RecentAnswer extends AnswerBase {
  kind: 'recent'
  /** Whose clock their times are told by: the question's, or the project's. */
  timezone: string
  /** Newest first. */
  events: RecentEvent[]
}

/** The tiles of an overview. */
export type TileName =
  | 'activeUsers'
  | 'eventsPerSecond'
  | 'revenueLastHour'
  | 'pageViewsLastHour'
  | 'errorRateLastHour'
  | 'conversionRateLastHour'

/** One figure of an overview. */
export interface Tile {
  v: number
  /** The hour before; for `activeUsers` 5 min and for `eventsPerSecond` 10 s before. */
  previous: number
  /** Revenue with four places. */
  previousExact?: string
  /** The last 60 minutes, oldest first. */
  spark: number[]
  approximate?: true
  exact?: string
  currency?: string
  anomaly?: Anomaly
}

/** The figures of a dashboard in one answer. */
export interface OverviewAnswer extends AnswerBase {
  kind: 'overview'
  tiles: Record<TileName, Tile>
}

/** The answer to any question; its `kind` is that of the question. */
export type Answer = SeriesAnswer | TotalAnswer | BreakdownAnswer | FunnelAnswer | RecentAnswer | OverviewAnswer
