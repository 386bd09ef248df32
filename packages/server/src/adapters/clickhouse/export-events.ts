import type { Readable } from 'node:stream'
import type { ExportFormat, Selection } from '../../ports/event-store.ts'
import type { ClickHouseConnection } from './clickhouse-connection.ts'
import { selectionSql } from './dimension-sql.ts'
import { QueryParameters } from './query-parameters.ts'
import { EXPORTING } from './statement-settings.ts'
import { segmentSql, storableRange } from './time-segments.ts'

/** The fields of an event, as one sends them; then what ingestion found out. */
const COLUMNS = `id, name, ts AS timestamp, user_id AS userId, anonymous_id AS anonymousId, session_id AS sessionId,
  url, referrer, title, category, amount AS revenue, currency, country, device, browser, os, locale, path,
  referrer_host AS referrerHost, utm_source AS utmSource, utm_medium AS utmMedium, utm_campaign AS utmCampaign,
  received_at AS receivedAt, revenue AS revenueInProjectCurrency, properties`

const FORMATS: Record<ExportFormat, string> = { ndjson: 'JSONEachRow', csv: 'CSVWithNames', parquet: 'Parquet' }

/** How many events a selection has, and all of them, by time, as the engine writes them. */
export async function exportEvents(
  connection: ClickHouseConnection,
  selection: Selection,
  format: ExportFormat,
  signal?: AbortSignal,
): Promise<{ events: number; bytes: Readable }> {
  const parameters = new QueryParameters()
  const conditions = [
    ...selectionSql(selection, parameters),
    segmentSql({ source: 'raw', ...storableRange({ from: selection.from, to: selection.to }) }, parameters),
  ].join(' AND ')
  const context = { doing: 'exporting events', parameters: parameters.values, signal }
  const [row] = await connection.rows<[string]>(`SELECT count() FROM nowcast.events WHERE ${conditions}`, context)
  const sql = `SELECT ${COLUMNS}
FROM nowcast.events
WHERE ${conditions}
ORDER BY project, ts
FORMAT ${FORMATS[format]}`
  const bytes = await connection.stream(sql, { ...context, settings: EXPORTING })
  return { events: Number(row?.[0] ?? 0), bytes }
}
