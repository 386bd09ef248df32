import type { AggregateRequest, AggregateRow, Dimension, Measure } from '../../ports/event-store.ts'
import { type AggregateStatement, activeUsersStatement, aggregateStatement } from './aggregate-sql.ts'
import type { ClickHouseConnection } from './clickhouse-connection.ts'
import type { RolledMonth } from './rolled-months.ts'
import { storableRange } from './time-segments.ts'

/** Most keys that a broken-down series keeps apart when the caller sets no limit. */
const MAX_KEYS = 1000

/** Answers `aggregate` of the port. Rows in which every measure is 0 are left out. */
export async function readAggregate(
  connection: ClickHouseConnection,
  given: AggregateRequest,
  rolled: readonly RolledMonth[] = [],
): Promise<AggregateRow[]> {
  const request = storableRange(given)
  if (request.from >= request.to || request.measures.length === 0) return []
  const asked = { ...request, keys: request.keys ?? (await largestKeys(connection, request, rolled)) }
  const groups = measureGroups(request)
  // The largest keys are known only once all measures stand side by side.
  const limit = groups.length === 1 ? request.limit : undefined
  const answers = await Promise.all(
    groups.map((measures) => {
      const part = { ...asked, measures, limit }
      return run(connection, part, isActive(measures) ? activeUsersStatement(part) : aggregateStatement(part, rolled))
    }),
  )
  const [only] = answers
  const rows = answers.length === 1 && only ? only : join(request, groups, answers)
  if (request.granularity === undefined) for (const row of rows) row.t = given.from
  return rows
}

/** Dimensions by each of which users and sessions have a rollup of their own, beside the one by none. */
const USER_DIMENSIONS: readonly Dimension[] = ['name', 'country', 'device', 'category', 'hot1']

/**
 * Measures that one statement reads together. Users and sessions by one dimension at most are read from their own, much
 * smaller rollups, each with no more than it needs: buyers are the users of purchases, so that they need the name.
 */
function measureGroups({ measures, filters, breakdown, granularity }: AggregateRequest): Measure[][] {
  const dimensions = new Set([...filters.map(({ dimension }) => dimension), ...(breakdown ? [breakdown] : [])])
  const isSmall = (others: Iterable<Dimension>) => {
    const [only, more] = [...new Set(others)]
    return granularity !== 'minute' && more === undefined && (only === undefined || USER_DIMENSIONS.includes(only))
  }
  const groupOf = (measure: Measure) => {
    if (measure === 'active_users') return 'active'
    if ((measure === 'users' || measure === 'sessions') && isSmall(dimensions)) return 'users'
    return measure === 'buyers' && isSmall([...dimensions, 'name']) ? 'buyers' : 'others'
  }
  const groups = new Map<string, Measure[]>()
  for (const measure of measures) {
    const group = groupOf(measure)
    groups.set(group, [...(groups.get(group) ?? []), measure])
  }
  return [...groups.values()]
}

function isActive(measures: readonly Measure[]): boolean {
  return measures[0] === 'active_users'
}

/** With a granularity and a breakdown: the keys that are largest over the whole range, where there are more. */
async function largestKeys(
  connection: ClickHouseConnection,
  request: AggregateRequest,
  rolled: readonly RolledMonth[],
): Promise<string[] | undefined> {
  const { measures, granularity, breakdown, limit = MAX_KEYS } = request
  if (granularity === undefined || breakdown === undefined) return undefined
  const ranking: Measure = isActive(measures) ? 'users' : (measures[0] as Measure)
  // With the events beside it, keys whose first measure adds up to 0 are there too.
  const ranked: Measure[] = [ranking, 'events']
  const whole = { ...request, measures: ranked, granularity: undefined, limit: limit + 1 }
  const rows = await run(connection, whole, aggregateStatement(whole, rolled))
  return rows.length <= limit ? undefined : rows.slice(0, limit).map(({ key }) => key as string)
}

async function run(
  connection: ClickHouseConnection,
  { measures, granularity, breakdown, signal }: AggregateRequest,
  { sql, parameters }: AggregateStatement,
): Promise<AggregateRow[]> {
  const context = { doing: `reading ${measures.join(', ')}`, parameters, signal }
  const rows = await connection.rows<[number | string, string, ...string[]]>(sql, context)
  const answer: AggregateRow[] = []
  for (const [t, key, ...texts] of rows) {
    const values = texts.map(BigInt)
    if (values.every((value) => value === 0n)) continue
    answer.push({
      t: granularity === undefined ? 0 : Number(t) * 1000,
      key: breakdown === undefined ? null : key,
      values,
    })
  }
  return answer
}

/** The rows of several statements as one each, with the measures in the request's order. */
function join(request: AggregateRequest, groups: Measure[][], answers: AggregateRow[][]): AggregateRow[] {
  const joined = new Map<string, AggregateRow>()
  answers.forEach((rows, i) => {
    const places = (groups[i] as Measure[]).map((measure) => request.measures.indexOf(measure))
    for (const { t, key, values } of rows) {
      const id = `${t} ${key}`
      const row = joined.get(id) ?? { t, key, values: request.measures.map(() => 0n) }
      places.forEach((place, j) => {
        row.values[place] = values[j] as bigint
      })
      joined.set(id, row)
    }
  })
  const rows = [...joined.values()]
  if (request.granularity !== undefined) return rows.sort((a, b) => a.t - b.t || compare(a.key ?? '', b.key ?? ''))
  rows.sort((a, b) => compare(b.values[0] as bigint, a.values[0] as bigint) || compare(a.key ?? '', b.key ?? ''))
  return rows.slice(0, request.limit)
}

function compare<T extends string | bigint>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}
