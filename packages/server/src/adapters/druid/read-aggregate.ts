import { OTHER } from '@nowcast/protocol'
import type { AggregateRequest, AggregateRow, Measure } from '../../ports/event-store.ts'
import { bucketSql } from './bucket-sql.ts'
import { dimensionSql, oneOfSql, type Parameters, selectionSql, storableRange, tableSql } from './dimension-sql.ts'
import type { DruidConnection } from './druid-connection.ts'

const MINUTE_MS = 60_000
/** Minutes whose users are active at a minute: it and the four before. */
const ACTIVE_MINUTES = 5
const MAX_KEYS = 1000
/** Registers of a sketch as a power of two: 0.81 % RMS error. */
const distinct = (column: string) => `APPROX_COUNT_DISTINCT_DS_HLL(${column}, 14)`
const ORDER = "cell_name = 'purchase' AND unconverted = '' AND revenue >= 0"

const of = (name: string) => `COUNT(*) FILTER (WHERE cell_name = '${name}')`

const MEASURES: Record<Measure, string> = {
  events: 'COUNT(*)',
  page_views: of('page_view'),
  clicks: of('click'),
  purchases: of('purchase'),
  errors: of('error'),
  // Ten-thousandths: a sum of Druid's doubles would not be exact.
  revenue: 'COALESCE(SUM(revenue), 0)',
  orders: `COUNT(*) FILTER (WHERE ${ORDER})`,
  order_revenue: `COALESCE(SUM(revenue) FILTER (WHERE ${ORDER}), 0)`,
  users: distinct('user_hash'),
  buyers: `${distinct('user_hash')} FILTER (WHERE cell_name = 'purchase')`,
  sessions: `${distinct('session_hash')} FILTER (WHERE session_hash <> 0)`,
  active_users: distinct('user_hash'),
}

/** Answers `EventStore.aggregate`. */
export async function readAggregate(
  connection: DruidConnection,
  datasource: string,
  given: AggregateRequest,
): Promise<AggregateRow[]> {
  const request = storableRange(given)
  const { measures, granularity, limit } = request
  if (request.from >= request.to || measures.length === 0) return []
  const table = tableSql(datasource)
  if (request.others) return largestAndOthers(connection, table, request)
  const asked = { ...request, keys: request.keys ?? (await largestKeys(connection, table, request)) }
  const others = measures.filter((measure) => measure !== 'active_users')
  const isMixed = others.length > 0 && others.length < measures.length
  // The largest keys are known only once all measures stand side by side.
  const part = isMixed ? { ...asked, limit: undefined } : asked
  const answers = await Promise.all([
    others.length > 0 ? run(connection, table, { ...part, measures: others }) : [],
    others.length < measures.length ? runActive(connection, table, part) : [],
  ])
  const rows = isMixed ? join(measures, answers) : answers.flat()
  if (granularity !== undefined) return rows.sort((a, b) => a.t - b.t || compare(a.key ?? '', b.key ?? ''))
  for (const row of rows) row.t = given.from
  rows.sort(byValue)
  return rows.slice(0, limit)
}

/** The largest keys, then all others together: distinct users are counted anew, since they cannot be added up. */
async function largestAndOthers(
  connection: DruidConnection,
  table: string,
  request: AggregateRequest,
): Promise<AggregateRow[]> {
  const { limit = 0 } = request
  const isOther = ({ key }: AggregateRow) => key === OTHER
  const ranked = await run(connection, table, { ...request, limit: limit + 1 })
  const keys = ranked.filter((row) => !isOther(row)).slice(0, limit)
  const kept = keys.map(({ key }) => key as string)
  const rows =
    ranked.length === keys.length ? ranked : await run(connection, table, { ...request, keys: kept, limit: undefined })
  for (const row of rows) row.t = request.from
  return [...rows.filter((row) => !isOther(row)).sort(byValue), ...rows.filter(isOther)]
}

/** With a granularity and a breakdown: the keys that are largest over the whole range, where there are more. */
async function largestKeys(
  connection: DruidConnection,
  table: string,
  request: AggregateRequest,
): Promise<string[] | undefined> {
  const { measures, granularity, breakdown, limit = MAX_KEYS } = request
  if (granularity === undefined || breakdown === undefined) return undefined
  const ranking: Measure = measures[0] === 'active_users' ? 'users' : (measures[0] as Measure)
  // With the events beside it, keys whose first measure adds up to 0 are there too.
  const ranked: Measure[] = [ranking, 'events']
  const whole = { ...request, measures: ranked, granularity: undefined, limit: limit + 1 }
  const rows = await run(connection, table, whole)
  return rows.length <= limit ? undefined : rows.slice(0, limit).map(({ key }) => key as string)
}

async function run(connection: DruidConnection, table: string, request: AggregateRequest): Promise<AggregateRow[]> {
  const { from, to, measures, granularity, timezone, limit } = request
  const parameters: Parameters = []
  const groups: string[] = []
  if (granularity) groups.push(`${bucketSql(granularity, timezone, from, to)} AS t`)
  const key = keySql(request, parameters)
  if (key) groups.push(`${key} AS k`)
  const columns = measures.map((measure, i) => `${MEASURES[measure]} AS m${i}`)
  const inner = `SELECT ${[...groups, ...columns].join(', ')}
FROM ${table}
WHERE ${selectionSql(request, parameters)}${groupBy(groups.length)}`
  return ask(connection, request, inner, parameters, granularity === undefined ? limit : undefined)
}

/** Each minute's users count in it and in the four minutes after; without a granularity: those of the last minute. */
async function runActive(
  connection: DruidConnection,
  table: string,
  request: AggregateRequest,
): Promise<AggregateRow[]> {
  const end = Math.ceil(request.to / MINUTE_MS) * MINUTE_MS
  const last = end - MINUTE_MS
  const isSeries = request.granularity !== undefined
  const first = isSeries ? Math.floor(request.from / MINUTE_MS) * MINUTE_MS : last
  const from = Math.max(0, first - (ACTIVE_MINUTES - 1) * MINUTE_MS)
  const parameters: Parameters = []
  const users = { ...request, from, to: end, measures: ['active_users' as const] }
  const later = Array.from({ length: ACTIVE_MINUTES }, (_, i) => i * MINUTE_MS)
  const time = "TIMESTAMP_TO_MILLIS(TIME_FLOOR(__time, 'PT1M')) + later"
  const groups = isSeries ? [`MILLIS_TO_TIMESTAMP(${time}) AS t`] : []
  const key = keySql(request, parameters)
  if (key) groups.push(`${key} AS k`)
  const columns = [...groups, `${MEASURES.active_users} AS m0`].join(', ')
  const selected = selectionSql(users, parameters)
  const source = isSeries ? `${table} CROSS JOIN UNNEST(ARRAY[${later.join(', ')}]) AS minutes(later)` : table
  const within = isSeries ? ` AND ${time} >= ${first} AND ${time} < ${end}` : ''
  const inner = `SELECT ${columns}
FROM ${source}
WHERE ${selected}${within}${groupBy(groups.length)}`
  return ask(connection, { ...users, from: request.from }, inner, parameters, isSeries ? undefined : request.limit)
}

const groupBy = (groups: number) =>
  groups === 0 ? '' : `\nGROUP BY ${Array.from({ length: groups }, (_, i) => i + 1).join(', ')}`

function keySql({ breakdown, keys }: AggregateRequest, parameters: Parameters): string | undefined {
  if (breakdown === undefined) return undefined
  const key = dimensionSql(breakdown)
  if (keys === undefined) return key
  if (keys.length === 0) return `'${OTHER}'`
  return `CASE WHEN ${oneOfSql(key, keys, parameters)} THEN ${key} ELSE '${OTHER}' END`
}

/** Rows of nothing but 0 are no answer, and must not take the place of one that is: revenue may rank below 0. */
async function ask(
  connection: DruidConnection,
  { measures, granularity, breakdown, signal }: AggregateRequest,
  inner: string,
  parameters: Parameters,
  limit: number | undefined,
): Promise<AggregateRow[]> {
  const names = measures.map((_, i) => `m${i}`)
  // As text: 64 bits are more than a number of JSON holds here.
  const columns = [granularity ? 't' : "''", breakdown === undefined ? "''" : 'k']
  columns.push(...names.map((name) => `CAST(${name} AS VARCHAR)`))
  const some = names.map((name) => `${name} <> 0`).join(' OR ')
  const largest = limit === undefined ? '' : `\nORDER BY m0 DESC${breakdown === undefined ? '' : ', k'}\nLIMIT ${limit}`
  const sql = `SELECT ${columns.join(', ')}
FROM (
${inner}
)
WHERE ${some}${largest}`
  const context = { doing: `reading ${measures.join(', ')}`, parameters, signal }
  const rows = await connection.rows<[string, string, ...string[]]>(sql, context)
  return rows.map(([t, key, ...texts]) => ({
    t: granularity === undefined ? 0 : Date.parse(t),
    key: breakdown === undefined ? null : key,
    values: texts.map(BigInt),
  }))
}

/** The rows of both statements as one each, with the measures in the request's order. */
function join(measures: readonly Measure[], [others = [], active = []]: AggregateRow[][]): AggregateRow[] {
  const joined = new Map<string, AggregateRow>()
  const places = (isActive: boolean) =>
    measures.flatMap((measure, i) => ((measure === 'active_users') === isActive ? [i] : []))
  for (const [rows, where] of [[others, places(false)] as const, [active, places(true)] as const]) {
    for (const { t, key, values } of rows) {
      const id = `${t} ${key}`
      const row = joined.get(id) ?? { t, key, values: measures.map(() => 0n) }
      for (const [i, place] of where.entries()) row.values[place] = values[i] as bigint
      joined.set(id, row)
    }
  }
  return [...joined.values()]
}

const byValue = (a: AggregateRow, b: AggregateRow) =>
  compare(b.values[0] as bigint, a.values[0] as bigint) || compare(a.key ?? '', b.key ?? '')

function compare<T extends string | bigint>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}
