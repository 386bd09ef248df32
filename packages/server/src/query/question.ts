import {
  type AnomalyBaseline,
  type Filters,
  type Granularity,
  type Metric,
  QUERY_LIMITS,
  type QueryKind,
  type Range,
} from '@nowcast/protocol'
import { NowcastError } from '../errors.ts'
import type { Dimension, DimensionFilter } from '../ports/event-store.ts'
import type { Project } from '../project.ts'
import { isZone } from '../window/zone.ts'
import { METRIC_DEFINITIONS } from './metric-definitions.ts'
import { invalid, type ParsedQuery, parseQuery } from './query-schema.ts'
import { dimensionNames, toDimension, toFilters } from './question-filters.ts'

/** Whom a question is answered for: a read token's claims. */
export interface Scope {
  project: Project
  /** Forced on every question. */
  filters: Filters
  /** Metrics the token allows; all when undefined. */
  metrics: readonly string[] | undefined
}

export interface FunnelQuestion {
  steps: { name: string; filters: DimensionFilter[] }[]
  /** The longest time from first step to last, as asked. */
  window: string
}

/** A query that was found valid, with its defaults and its token's filters. */
export interface Question {
  kind: QueryKind
  project: Project
  metric: Metric
  granularity: Granularity
  range: Range
  timezone: string
  filters: DimensionFilter[]
  breakdown: { name: string; dimension: Dimension } | undefined
  anomalies: { baseline: AnomalyBaseline; sigma: number } | undefined
  bots: boolean
  limit: number
  /** Of a funnel. */
  funnel: FunnelQuestion | undefined
  /** Time between two live answers, ms. */
  everyMs: number
}

/**
 * Checks a query and adds what its token forces.
 * @throws NowcastError `invalid_query` that names the field, `metric_not_allowed`
 */
export function toQuestion(query: unknown, scope: Scope): Question {
  const parsed = parseQuery(query)
  const { kind, granularity, range, breakdown, anomalies, timezone, bots, limit } = parsed
  const { project } = scope
  const metric = parsed.metric ?? (kind === 'funnel' ? 'users' : 'events')
  requireMetrics(kind, metric, scope)
  if (timezone !== undefined && !isZone(timezone))
    throw invalid('timezone', `${JSON.stringify(timezone)} is no IANA time zone, like Europe/Berlin`)
  if ('from' in range && range.from >= range.to) throw invalid('range', 'from must be before to')
  if (kind === 'breakdown' && breakdown === undefined)
    throw invalid('breakdown', `name a dimension: ${dimensionNames(project)}`)
  if (limit !== undefined && kind === 'recent' && limit > QUERY_LIMITS.recentEvents) {
    throw invalid('limit', `recent answers at most ${QUERY_LIMITS.recentEvents} events`)
  }
  if (kind === 'overview' && typeof anomalies === 'object' && anomalies.baseline === 'seasonal')
    throw invalid('anomalies.baseline', 'the tiles of an overview are judged by previous')
  const filters = toFilters(parsed.filters, project).filter(
    ({ dimension }) => dimension !== 'name' || !METRIC_DEFINITIONS[metric].ignoresName,
  )
  filters.push(...toFilters(scope.filters, project))
  const funnel = kind === 'funnel' ? toFunnel(parsed, project) : undefined
  const all = [...filters, ...(funnel?.steps.flatMap((step) => step.filters) ?? [])]
  if (all.length > QUERY_LIMITS.filters) throw invalid('filters', `at most ${QUERY_LIMITS.filters} in all`)
  const values = all.reduce((sum, filter) => sum + filter.values.length, 0)
  if (values > QUERY_LIMITS.filterValues) throw invalid('filters', `at most ${QUERY_LIMITS.filterValues} values in all`)
  return {
    kind,
    project,
    metric,
    granularity,
    range,
    timezone: timezone ?? project.timezone,
    filters,
    breakdown:
      breakdown === undefined || kind === 'total' || kind === 'overview' || kind === 'recent'
        ? undefined
        : { name: breakdown, dimension: toDimension('breakdown', breakdown, project) },
    anomalies: anomalies === false ? undefined : anomalies === true ? { baseline: 'previous', sigma: 2 } : anomalies,
    bots,
    limit: limit ?? (kind === 'recent' ? 50 : 10),
    funnel,
    everyMs: parsed.every ?? 1000,
  }
}

function toFunnel({ steps, window = '1h' }: ParsedQuery, project: Project): FunnelQuestion {
  if (!steps) throw invalid('steps', 'name the steps, like [{"name":"page_view"},{"name":"purchase"}]')
  const named = steps.map(({ name, filters }, i) => ({
    name,
    filters: toFilters(filters, project, `steps.${i}.filters`),
  }))
  return { steps: named, window }
}

/** Metrics that the overview's tiles show. */
const OVERVIEW_METRICS: readonly Metric[] = [
  'active_users',
  'events_per_second',
  'revenue',
  'page_views',
  'error_rate',
  'conversion_rate',
]

/** What an answer of a kind tells, whatever metric is named. */
function toldMetrics(kind: QueryKind, metric: Metric): readonly Metric[] {
  switch (kind) {
    case 'overview':
      return OVERVIEW_METRICS
    case 'recent':
      return ['events', 'revenue']
    case 'funnel':
      return ['users', metric]
    default:
      return [metric]
  }
}

function requireMetrics(kind: QueryKind, metric: Metric, { metrics }: Scope): void {
  if (!metrics) return
  const refused = toldMetrics(kind, metric).filter((name) => !metrics.includes(name))
  if (refused.length === 0) return
  throw new NowcastError(
    'metric_not_allowed',
    `this token does not allow ${refused.join(', ')}; it allows ${metrics.join(', ') || 'none'}`,
    { field: 'metric' },
  )
}
