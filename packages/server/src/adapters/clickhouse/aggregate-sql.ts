import { OTHER } from '@nowcast/protocol'
import type { AggregateRequest, Measure } from '../../ports/event-store.ts'
import { dimensionSql, needsRawRows, selectionSql } from './dimension-sql.ts'
import { type MeasurePlan, planMeasures, sketchOf } from './measure-sql.ts'
import { QueryParameters } from './query-parameters.ts'
import type { RolledMonth } from './rolled-months.ts'
import { type Bucketing, bucketSql, segmentSql, type TimeSegment, tableOf, timeSegments } from './time-segments.ts'
import { hasWholeHourOffsets } from './zone-offsets.ts'

const MINUTE_MS = 60_000
/** Minutes whose users are active at a minute: it and the four before. */
const ACTIVE_MINUTES = 5

/** A statement whose rows are: bucket in epoch seconds, key, one integer a measure. */
export interface AggregateStatement {
  sql: string
  parameters: Record<string, unknown>
}

/**
 * The statement of a request without `active_users`. An inner query per segment reads parts by bucket, key and class of
 * names; the outer one adds up the parts and merges the sketches.
 */
export function aggregateStatement(request: AggregateRequest, rolled: readonly RolledMonth[] = []): AggregateStatement {
  if (request.others) return largestStatement(request, rolled)
  const { from, to, granularity, timezone, breakdown, limit } = request
  const wholeHours = granularity === undefined || hasWholeHourOffsets(timezone, from, to)
  const raw = needsRawRows(request, breakdown)
  const byHours = granularity === 'minute' ? { wholeHours: false } : { wholeHours, rolled }
  const segments = timeSegments({ from, to, raw, ...byHours })
  const parameters = new QueryParameters()
  const plan = planMeasures(request.measures)
  const parts = partsSql(request, plan, segments, { granularity, timezone, wholeHours }, parameters)
  const columns = plan.measures.map((sql, i) => `toString(${sql}) AS m${i}`)
  const order = granularity === undefined ? `${plan.measures[0]} DESC, k` : 't, k'
  const end = granularity === undefined && limit !== undefined ? `\nLIMIT ${parameters.add(limit, 'UInt32')}` : ''
  // Rows of nothing but 0 are no answer, and must not take the place of one that is: revenue may rank below 0.
  const some = plan.measures.map((measure) => `${measure} != 0`).join(' OR ')
  const sql = `SELECT t, k, ${columns.join(', ')}
FROM (
${parts}
)
GROUP BY t, k
HAVING ${some}
ORDER BY ${order}${end}`
  return { sql, parameters: parameters.values }
}

/**
 * The statement of the keys with the most users, and of all others together: each key's sketches are united once, the
 * keys then ranked, and the sketches of those beyond the limit united with each other.
 */
function largestStatement(request: AggregateRequest, rolled: readonly RolledMonth[]): AggregateStatement {
  const { from, to, timezone, breakdown, limit = 0, measures } = request
  const parameters = new QueryParameters()
  const segments = timeSegments({ from, to, raw: needsRawRows(request, breakdown), wholeHours: true, rolled })
  const bucketing = { granularity: undefined, timezone, wholeHours: true }
  const parts = partsSql(request, planMeasures(measures), segments, bucketing, parameters)
  const { united, counted } = sketchOf(measures[0] as Measure)
  const other = parameters.add(OTHER, 'String')
  const sql = `SELECT 0 AS t, if(place <= ${parameters.add(limit, 'UInt32')}, k, ${other}) AS key, toString(${counted('sketch')}) AS m0
FROM (
SELECT k, sketch, row_number() OVER (ORDER BY k = ${other}, finalizeAggregation(sketch) DESC, k) AS place
FROM (
SELECT k, ${united} AS sketch
FROM (
${parts}
)
GROUP BY k
)
)
GROUP BY key
ORDER BY key = ${other}, ${counted('sketch')} DESC, key`
  return { sql, parameters: parameters.values }
}

/**
 * The statement of `active_users`, by minutes: each minute's users are merged into it and the four minutes after. Without
 * a granularity: those of the range's last minute.
 */
export function activeUsersStatement(request: AggregateRequest): AggregateStatement {
  const to = Math.ceil(request.to / MINUTE_MS) * MINUTE_MS
  const last = to - MINUTE_MS
  const from = request.granularity === undefined ? last : Math.floor(request.from / MINUTE_MS) * MINUTE_MS
  const raw = needsRawRows(request, request.breakdown)
  const read = { from: Math.max(0, from - (ACTIVE_MINUTES - 1) * MINUTE_MS), to, raw, wholeHours: false }
  const parameters = new QueryParameters()
  const bucketing = { granularity: 'minute', timezone: 'UTC', wholeHours: true } as const
  const parts = partsSql(request, planMeasures(['users']), timeSegments(read), bucketing, parameters)
  const later = Array.from({ length: ACTIVE_MINUTES }, (_, i) => i * 60)
  const first = parameters.add(from / 1000, 'UInt32')
  const end = parameters.add(to / 1000, 'UInt32')
  const sql = `SELECT t + later AS minute, k, toString(uniqCombined64Merge(14)(u))
FROM (
${parts}
)
ARRAY JOIN [${later.join(', ')}] AS later
WHERE minute >= ${first} AND minute < ${end}
GROUP BY minute, k
ORDER BY minute, k`
  return { sql, parameters: parameters.values }
}

function partsSql(
  request: AggregateRequest,
  plan: MeasurePlan,
  segments: TimeSegment[],
  bucketing: Bucketing,
  parameters: QueryParameters,
): string {
  const selected = selectionSql(request, parameters)
  if (plan.condition !== undefined) selected.push(plan.condition)
  const key = keySql(request, parameters)
  const queries = segments.map((segment) => {
    const bucket = bucketSql(segment, bucketing, parameters)
    const columns = [`${bucket} AS t`, `${key} AS k`, `${plan.nameClass ?? '0'} AS c`]
    columns.push(...(segment.source === 'rollups' ? plan.rolledParts : plan.parts))
    const conditions = [...selected, segmentSql(segment, parameters)].join(' AND ')
    return `SELECT ${columns.join(', ')}\nFROM ${tableOf(segment)}\nWHERE ${conditions}\nGROUP BY t, k, c`
  })
  return queries.join('\nUNION ALL\n')
}

function keySql({ breakdown, keys }: AggregateRequest, parameters: QueryParameters): string {
  if (breakdown === undefined) return "''"
  const key = `toString(${dimensionSql(breakdown, parameters)})`
  if (keys === undefined) return key
  return `if(${key} IN ${parameters.add(keys, 'Array(String)')}, ${key}, ${parameters.add(OTHER, 'String')})`
}
