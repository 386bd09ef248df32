import type { Selection, StoredEvent } from '../../ports/event-store.ts'
import { type Parameters, selectionSql, storableRange, tableSql, textSql } from './dimension-sql.ts'
import type { DruidConnection } from './druid-connection.ts'

const TEXTS = ['country', 'device', 'category', 'user_id', 'anonymous_id', 'url', 'title', 'amount', 'currency']
const MINUTE_MS = 60_000

type RecentRow = [
  id: string,
  name: string,
  t: number,
  epoch: number,
  offset: number,
  properties: string,
  country: string,
  device: string,
  category: string,
  userId: string,
  anonymousId: string,
  url: string,
  title: string,
  amount: string,
  currency: string,
]

/**
 * The newest events of a selection. Druid reads in the order of time alone: of events in the very millisecond in which
 * the list ends, it may be any.
 */
export async function readRecent(
  connection: DruidConnection,
  datasource: string,
  selection: Selection,
  limit: number,
  signal?: AbortSignal,
): Promise<StoredEvent[]> {
  const range = storableRange(selection)
  if (range.from >= range.to) return []
  const parameters: Parameters = []
  const texts = TEXTS.map((name) => `COALESCE("${name}", '')`).join(', ')
  const sql = `SELECT id, name, TIMESTAMP_TO_MILLIS(__time), log_epoch, log_offset, properties, ${texts}
FROM ${tableSql(datasource)}
WHERE ${selectionSql(range, parameters)}
ORDER BY __time DESC
LIMIT ${limit}`
  const rows = await connection.rows<RecentRow>(sql, { doing: 'reading recent events', parameters, signal })
  rows.sort((a, b) => b[2] - a[2] || b[3] - a[3] || b[4] - a[4])
  return rows.map(([id, name, t, , , json, country, device, category, userId, anonymousId, url, title, ...money]) => ({
    ...{ id, name, t, country, device, category, userId, anonymousId, url, title },
    ...{ revenue: fourPlaces(money[0]), currency: money[1], properties: JSON.parse(json) as Record<string, unknown> },
  }))
}

/** `7.5` as `7.5000`; rows of an import may have fewer places. */
function fourPlaces(amount: string): string {
  if (amount === '') return ''
  const [whole, places = ''] = amount.split('.')
  return `${whole}.${places.padEnd(4, '0')}`
}

/** Events whose revenue was not summed, by currency. */
export async function readExcluded(
  connection: DruidConnection,
  datasource: string,
  selection: Selection,
  signal?: AbortSignal,
): Promise<{ currency: string; events: number }[]> {
  const range = storableRange(selection)
  if (range.from >= range.to) return []
  const parameters: Parameters = []
  const sql = `SELECT unconverted, COUNT(*)
FROM ${tableSql(datasource)}
WHERE ${selectionSql(range, parameters)} AND unconverted <> ''
GROUP BY unconverted
ORDER BY unconverted`
  const context = { doing: 'reading excluded revenue', parameters, signal }
  const rows = await connection.rows<[string, number]>(sql, context)
  return rows.map(([currency, events]) => ({ currency, events }))
}

/** Start of the earliest minute that has an event of the project, epoch ms. */
export async function readFirstEventAt(
  connection: DruidConnection,
  datasource: string,
  project: string,
): Promise<number | undefined> {
  const sql = `SELECT TIMESTAMP_TO_MILLIS(MIN(__time)), COUNT(*) FROM ${tableSql(datasource)} WHERE project = ${textSql(project)}`
  const [row] = await connection.rows<[number, number]>(sql, { doing: 'reading the first event' })
  return row && row[1] > 0 ? Math.floor(row[0] / MINUTE_MS) * MINUTE_MS : undefined
}
