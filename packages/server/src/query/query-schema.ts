import { ANOMALY_BASELINES, GRANULARITIES, METRICS, QUERY_KINDS, QUERY_LIMITS } from '@nowcast/protocol'
import { z } from 'zod'
import { NowcastError } from '../errors.ts'

const SPAN = /^[1-9]\d{0,6}[mhd]$/
const RANGE_HINT = 'must be {"last":"24h"}, a number and m, h or d, or {"from":ms,"to":ms}, epoch ms of this age'

const oneOf = <const T extends readonly string[]>(values: T) => z.enum(values, `must be one of ${values.join(', ')}`)
const strings = z
  .array(
    z.string('must be a text').max(1024, 'has more than 1,024 characters'),
    'must be a list of values, like ["US"]',
  )
  .min(1, 'must name at least one value')
const filters = z.record(z.string().max(256), strings, 'must be an object, like {"country":["US","DE"]}').default({})
const name = z.string('must be a text').max(256, 'has more than 256 characters')

const QuerySchema = z.strictObject(
  {
    kind: oneOf(QUERY_KINDS),
    metric: oneOf(METRICS).optional(),
    granularity: oneOf(GRANULARITIES).default('minute'),
    range: z
      .union(
        [
          z.strictObject({ last: z.string().regex(SPAN) }),
          z.strictObject({ from: z.int().min(0).max(7e12), to: z.int().min(0).max(7e12) }),
        ],
        RANGE_HINT,
      )
      .default({ last: '24h' }),
    filters,
    breakdown: name.optional(),
    anomalies: z
      .union([
        z.boolean(),
        z.strictObject({
          baseline: oneOf(ANOMALY_BASELINES).default('previous'),
          sigma: z.number('must be a number').gt(0).max(99).default(2),
        }),
      ])
      .default(false),
    timezone: z.string('must be an IANA time zone, like Europe/Berlin').max(64).optional(),
    bots: z.boolean('must be true or false').default(false),
    limit: z.int('must be a whole number').min(1).max(QUERY_LIMITS.breakdownRows).optional(),
    steps: z
      .array(
        z.strictObject({ name: z.string('must be the name of an event').min(1).max(64), filters }),
        'must be a list, like [{"name":"page_view"},{"name":"purchase"}]',
      )
      .min(1, 'must name at least one step')
      .max(QUERY_LIMITS.funnelSteps, `at most ${QUERY_LIMITS.funnelSteps} steps`)
      .optional(),
    window: z
      .string('must be a number and m, h or d, like 30m')
      .regex(SPAN, 'must be a number and m, h or d, like 30m')
      .optional(),
    every: z.int('must be whole milliseconds, at least 1000').min(1000).max(3_600_000).optional(),
  },
  { error: (issue) => (issue.code === 'invalid_type' ? 'must be an object, like {"kind":"overview"}' : undefined) },
)
/** The same as JSON Schema, for those who write queries. */
export function queryJsonSchema(): object {
  const { $schema: _, ...schema } = z.toJSONSchema(QuerySchema, { io: 'input' })
  return schema
}

/** A query with the shape of one; what its words mean is not looked at yet. */
export type ParsedQuery = z.output<typeof QuerySchema>

/** @throws NowcastError `invalid_query` that names the field */
export function parseQuery(query: unknown): ParsedQuery {
  const parsed = QuerySchema.safeParse(query)
  if (!parsed.success) throw toInvalid(parsed.error)
  // Left out by zod: the answer would be about more than was asked.
  const { steps, ...whole } = query as { filters?: object; steps?: { filters?: object }[] }
  const all: [string, object | undefined][] = [['', whole.filters], ...(steps ?? []).map(atStep)]
  for (const [at, given] of all)
    if (Object.hasOwn(given ?? {}, '__proto__')) throw invalid(`${at}filters.__proto__`, 'is no dimension')
  return parsed.data
}

function atStep({ filters }: { filters?: object }, i: number): [string, object | undefined] {
  return [`steps.${i}.`, filters]
}

/** An error that names the field. */
export function invalid(field: string, message: string): NowcastError {
  return new NowcastError('invalid_query', `${field}: ${message}`, { field })
}

function toInvalid(error: z.ZodError): NowcastError {
  const issue = mostPrecise(error.issues[0])
  if (issue?.code === 'unrecognized_keys') {
    const field = [...issue.path, issue.keys[0]].join('.')
    return invalid(field, `is no field of a query${issue.path.length === 0 ? `; these are: ${FIELDS}` : ''}`)
  }
  return invalid(issue?.path.join('.') || 'query', issue?.message ?? 'is not valid')
}

const FIELDS = Object.keys(QuerySchema.shape).join(', ')

type Issue = z.core.$ZodIssue

/** Of alternatives without a hint of their own, what is wrong with the object among them. */
function mostPrecise(issue: Issue | undefined): Issue | undefined {
  if (issue?.code !== 'invalid_union' || issue.message !== 'Invalid input') return issue
  const inner = issue.errors.map(([first]) => first).find((each) => each && each.path.length > 0)
  return inner
    ? { ...inner, path: [...issue.path, ...inner.path] }
    : { ...issue, message: 'must be true, false or an object' }
}
