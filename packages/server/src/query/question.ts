import {
  ARCHIVE_DIMENSIONS,
  type Filters,
  GRANULARITIES,
  type Granularity,
  HOT_DIMENSIONS,
  METRICS,
  type Metric,
  NONE,
  QUERY_KINDS,
  QUERY_LIMITS,
  type QueryKind,
  type Range,
} from '@nowcast/protocol'
import { z } from 'zod'
import { NowcastError } from '../errors.ts'
import type { CellDimension, Dimension, DimensionFilter } from '../ports/event-store.ts'
import type { Project } from '../project.ts'
import { isZone } from '../window/zone.ts'
import { METRIC_DEFINITIONS } from './metric-definitions.ts'

/** Whom a question is answered for: a read token's claims. */
export interface Scope {
  project: Project
  /** Forced on every question. */
  filters: Filters
  /** Metrics the token allows; all when undefined. */
  metrics: readonly string[] | undefined
}

/** A query that was found valid, with its defaults and its token's filters. */
export interface Question {
  kind: Exclude<QueryKind, 'funnel'>
  project: Project
  metric: Metric
  granularity: Granularity
  range: Range
  timezone: string
  filters: DimensionFilter[]
  breakdown: { name: string; dimension: Dimension } | undefined
  anomalies: { baseline: 'previous' | 'seasonal'; sigma: number } | undefined
  bots: boolean
  limit: number
  /** Time between two live answers, ms. */
  everyMs: number
}

const strings = z.array(z.string().max(1024)).min(1)

const QuerySchema = z.strictObject({
  kind: z.enum(QUERY_KINDS),
  metric: z.enum(METRICS).default('events'),
  granularity: z.enum(GRANULARITIES).default('minute'),
  range: z
    .union([
      z.strictObject({ last: z.string().regex(/^[1-9]\d{0,6}[mhd]$/, 'must be a number and m, h or d, like 24h') }),
      z.strictObject({ from: z.int().min(0).max(7e12), to: z.int().min(0).max(7e12) }),
    ])
    .default({ last: '24h' }),
  filters: z.record(z.string().max(256), strings).default({}),
  breakdown: z.string().max(256).optional(),
  anomalies: z
    .union([
      z.boolean(),
      z.strictObject({
        baseline: z.enum(['previous', 'seasonal']).default('previous'),
        sigma: z.number().gt(0).max(99).default(2),
      }),
    ])
    .default(false),
  timezone: z.string().max(64).optional(),
  bots: z.boolean().default(false),
  limit: z.int().min(1).max(QUERY_LIMITS.breakdownRows).optional(),
  steps: z.unknown().optional(),
  window: z.unknown().optional(),
  every: z.int().min(1000).max(3_600_000).optional(),
})

/**
 * Checks a query and adds what its token forces.
 * @throws NowcastError `invalid_query` that names the field, `metric_not_allowed`
 */
export function toQuestion(query: unknown, scope: Scope): Question {
  const parsed = QuerySchema.safeParse(query)
  if (!parsed.success) throw invalidQuery(parsed.error)
  // Left out by zod: the answer would be about more than was asked.
  if (Object.hasOwn((query as { filters?: object }).filters ?? {}, '__proto__'))
    throw invalid('filters.__proto__', 'is no dimension')
  const { kind, metric, granularity, range, breakdown, anomalies, timezone, bots, limit } = parsed.data
  const { project } = scope
  if (kind === 'funnel')
    throw invalid('kind', 'funnel is not answered yet: use series, total, breakdown, recent or overview')
  requireMetrics(kind, metric, scope)
  if (typeof anomalies === 'object' && anomalies.baseline === 'seasonal') {
    throw invalid('anomalies.baseline', 'seasonal is not answered yet: use previous')
  }
  if (timezone !== undefined && !isZone(timezone))
    throw invalid('timezone', `${JSON.stringify(timezone)} is no IANA time zone, like Europe/Berlin`)
  if ('from' in range && range.from >= range.to) throw invalid('range', 'from must be before to')
  if (kind === 'breakdown' && breakdown === undefined)
    throw invalid('breakdown', `name a dimension: ${dimensionNames(project)}`)
  if (limit !== undefined && kind === 'recent' && limit > QUERY_LIMITS.recentEvents) {
    throw invalid('limit', `recent answers at most ${QUERY_LIMITS.recentEvents} events`)
  }
  const filters = [...toFilters(parsed.data.filters, project, metric), ...toFilters(scope.filters, project, undefined)]
  const values = filters.reduce((sum, filter) => sum + filter.values.length, 0)
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
    everyMs: parsed.data.every ?? 1000,
  }
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

function requireMetrics(kind: QueryKind, metric: Metric, scope: Scope): void {
  const { metrics } = scope
  if (!metrics) return
  const needed =
    kind === 'overview' ? OVERVIEW_METRICS : kind === 'recent' ? (['events', 'revenue'] as const) : [metric]
  const refused = needed.filter((name) => !metrics.includes(name))
  if (refused.length > 0) {
    throw new NowcastError(
      'metric_not_allowed',
      `this token does not allow ${refused.join(', ')}; it allows ${metrics.join(', ')}`,
      { field: 'metric' },
    )
  }
}

function toFilters(filters: Filters, project: Project, metric: Metric | undefined): DimensionFilter[] {
  const answer: DimensionFilter[] = []
  for (const [name, values] of Object.entries(filters)) {
    const dimension = toDimension(`filters.${name}`, name, project)
    if (name === 'name' && metric && METRIC_DEFINITIONS[metric].ignoresName) continue
    answer.push({ dimension, values: values.map((value) => (value === '' ? NONE : value)) })
  }
  return answer
}

function toDimension(field: string, name: string, project: Project): Dimension {
  if ((HOT_DIMENSIONS as readonly string[]).includes(name)) return name as Dimension
  const own = project.hotDimensions.indexOf(name)
  if (own >= 0) return own === 0 ? 'hot1' : 'hot2'
  if ((ARCHIVE_DIMENSIONS as readonly string[]).includes(name)) return name as Dimension
  if (name.startsWith('properties.') && name.length > 'properties.'.length) return name as Dimension
  throw invalid(
    field,
    `${JSON.stringify(name)} is no dimension; these are: ${dimensionNames(project)}, properties.<key>`,
  )
}

function dimensionNames(project: Project): string {
  return [...HOT_DIMENSIONS, ...project.hotDimensions, ...ARCHIVE_DIMENSIONS].join(', ')
}

const CELL_DIMENSIONS: readonly string[] = [
  'name',
  'country',
  'device',
  'category',
  'hot1',
  'hot2',
] satisfies CellDimension[]

/** Whether a dimension is one of every cell. */
export function isCellDimension(dimension: Dimension): dimension is CellDimension {
  return CELL_DIMENSIONS.includes(dimension)
}

function invalid(field: string, message: string): NowcastError {
  return new NowcastError('invalid_query', `${field}: ${message}`, { field })
}

function invalidQuery(error: z.ZodError): NowcastError {
  const issue = error.issues[0]
  if (issue?.code === 'unrecognized_keys') {
    const field = [...issue.path, issue.keys[0]].join('.')
    return invalid(field, 'is no field of a query')
  }
  const field = issue?.path.join('.') || 'query'
  return invalid(field, issue?.message ?? 'is not valid')
}
