import type { Selection, StoredEvent } from '../../ports/event-store.ts'
import type { ClickHouseConnection } from './clickhouse-connection.ts'
import { needsRawRows, selectionSql } from './dimension-sql.ts'
import { QueryParameters } from './query-parameters.ts'
import type { RolledMonth } from './rolled-months.ts'
import { segmentSql, storableRange, tableOf, timeSegments } from './time-segments.ts'

const RECENT_COLUMNS = `id, name, toUnixTimestamp64Milli(ts), country, device, category, user_id, anonymous_id, url, title,
  amount, currency, properties`

type RecentRow = [
  id: string,
  name: string,
  t: string,
  country: string,
  device: string,
  category: string,
  userId: string,
  anonymousId: string,
  url: string,
  title: string,
  amount: string,
  currency: string,
  properties: string,
]

/** The newest events of a selection. */
export async function readRecent(
  connection: ClickHouseConnection,
  selection: Selection,
  limit: number,
  signal?: AbortSignal,
): Promise<StoredEvent[]> {
  const { from, to } = storableRange(selection)
  if (from >= to) return []
  const parameters = new QueryParameters()
  const conditions = [...selectionSql(selection, parameters), segmentSql({ source: 'raw', from, to }, parameters)]
  const sql = `SELECT ${RECENT_COLUMNS}
FROM nowcast.events
WHERE ${conditions.join(' AND ')}
ORDER BY ts DESC, log_epoch DESC, log_offset DESC
LIMIT ${parameters.add(limit, 'UInt32')}`
  const context = { doing: 'reading recent events', parameters: parameters.values, signal }
  const rows = await connection.rows<RecentRow>(sql, context)
  return rows.map(
    ([id, name, t, country, device, category, userId, anonymousId, url, title, amount, currency, json]) => ({
      ...{ id, name, t: Number(t), country, device, category, userId, anonymousId, url, title },
      ...{ revenue: fourPlaces(amount), currency, properties: JSON.parse(json) as Record<string, unknown> },
    }),
  )
}

/** Events whose revenue was not summed, by currency. */
export async function readExcluded(
  connection: ClickHouseConnection,
  selection: Selection,
  rolled: readonly RolledMonth[],
  signal?: AbortSignal,
): Promise<{ currency: string; events: number }[]> {
  const { from, to } = storableRange(selection)
  if (from >= to) return []
  const parameters = new QueryParameters()
  const selected = [...selectionSql(selection, parameters), "unconverted != ''"]
  const parts = timeSegments({ from, to, raw: needsRawRows(selection), wholeHours: true, rolled }).map((segment) => {
    const conditions = [...selected, segmentSql(segment, parameters)].join(' AND ')
    const count = segment.source === 'rollups' ? 'sum(events)' : 'count()'
    return `SELECT unconverted, ${count} AS n FROM ${tableOf(segment)} WHERE ${conditions} GROUP BY unconverted`
  })
  const sql = `SELECT unconverted, sum(n) FROM (${parts.join(' UNION ALL ')}) GROUP BY unconverted ORDER BY unconverted`
  const context = { doing: 'reading excluded revenue', parameters: parameters.values, signal }
  const rows = await connection.rows<[string, string]>(sql, context)
  return rows.map(([currency, events]) => ({ currency, events: Number(events) }))
}

/** Start of the earliest minute that has an event of the project, epoch ms; of its hour where hours are all there is. */
export async function readFirstEventAt(connection: ClickHouseConnection, project: string): Promise<number | undefined> {
  // The sort key's order: one granule a part is read.
  const first = (time: string, column: string, table: string) =>
    `SELECT ${time} AS t FROM nowcast.${table} WHERE project = {project:String} ORDER BY project, ${column} LIMIT 1`
  const sql = `SELECT * FROM (${first('toUnixTimestamp64Milli(ts)', 'ts', 'events')})
UNION ALL
SELECT * FROM (${first('toInt64(toUnixTimestamp(hour)) * 1000', 'hour', 'rollups')})`
  const rows = await connection.rows<[string]>(sql, { doing: 'reading the first event', parameters: { project } })
  const t = rows.reduce((least, [time]) => Math.min(least, Number(time)), Number.POSITIVE_INFINITY)
  return t === Number.POSITIVE_INFINITY ? undefined : Math.floor(Number(t) / 60_000) * 60_000
}

/** A decimal string with four places; '' stays. */
function fourPlaces(amount: string): string {
  if (amount === '') return ''
  const [whole, fraction = ''] = amount.split('.')
  return `${whole}.${fraction.padEnd(4, '0')}`
}
