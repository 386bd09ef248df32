import type { StoredRejection } from '../../ports/event-store.ts'
import type { ClickHouseConnection } from './clickhouse-connection.ts'
import { NOTING } from './statement-settings.ts'

/** Writes refused events; the table drops them after a week. */
export async function insertRejected(
  connection: ClickHouseConnection,
  rejections: readonly StoredRejection[],
): Promise<void> {
  if (rejections.length === 0) return
  const rows = rejections.map(({ project, receivedAt, code, message, index, event }) =>
    JSON.stringify({ project, received_at: receivedAt, code, message, index, event }),
  )
  const settings = { ...NOTING, date_time_input_format: 'basic' } as const
  const doing = 'writing rejected events'
  await connection.insert('nowcast.rejected_events', Buffer.from(rows.join('\n')), { doing, settings })
}

/** Refused events of a project, newest first. The table drops whole days, and only some time after they are a week old. */
export async function readRejected(
  connection: ClickHouseConnection,
  project: string,
  limit: number,
  signal?: AbortSignal,
): Promise<StoredRejection[]> {
  const sql = `SELECT toUnixTimestamp64Milli(received_at), code, message, index, event
FROM nowcast.rejected_events
WHERE project = {project:String} AND received_at > now64(3) - INTERVAL 7 DAY
ORDER BY received_at DESC, index
LIMIT {limit:UInt32}`
  const context = { doing: 'reading rejected events', parameters: { project, limit }, signal }
  const rows = await connection.rows<[string, string, string, number, string]>(sql, context)
  return rows.map(([receivedAt, code, message, index, event]) => ({
    ...{ project, receivedAt: Number(receivedAt), code, message, index, event },
  }))
}
