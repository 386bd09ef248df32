import type { MinuteTotals } from '../../ports/event-store.ts'
import { storableRange, tableSql, withinSql } from './dimension-sql.ts'
import type { DruidConnection } from './druid-connection.ts'

const MINUTE_MS = 60_000
/** Rows whose places in the log are told apart at a time: Druid does that in memory. */
const COMPARED_ROWS = 500_000

/** Highest offset that Druid has read of each partition, and when its event came. */
export async function readHighest(
  connection: DruidConnection,
  datasource: string,
  epoch: number,
): Promise<Map<number, { offset: number; receivedAt: number }>> {
  const sql = `SELECT log_partition, MAX(log_offset), MAX(received_at)
FROM ${tableSql(datasource)}
WHERE log_epoch = ${epoch}
GROUP BY log_partition`
  const rows = await connection.rows<[number, number, number]>(sql, { doing: 'reading how far Druid is' })
  return new Map(rows.map(([partition, offset, receivedAt]) => [partition, { offset, receivedAt }]))
}

/** Whether rows of another log epoch are there. */
export async function readHasOtherEpochs(
  connection: DruidConnection,
  datasource: string,
  epoch: number,
): Promise<boolean> {
  const sql = `SELECT log_epoch FROM ${tableSql(datasource)} WHERE log_epoch <> ${epoch} LIMIT 1`
  return (await connection.rows<[number]>(sql, { doing: 'reading the epochs' })).length > 0
}

/** Rows with an offset of `[from, to)`. */
export async function readOffsetCount(
  connection: DruidConnection,
  datasource: string,
  place: { epoch: number; partition: number; from: number; to: number },
): Promise<number> {
  const { epoch, partition, from, to } = place
  const sql = `SELECT COUNT(*) FROM ${tableSql(datasource)}
WHERE log_epoch = ${epoch} AND log_partition = ${partition} AND log_offset >= ${from} AND log_offset < ${to}`
  const [row] = await connection.rows<[number]>(sql, { doing: 'counting offsets' })
  return row?.[0] ?? 0
}

/** Totals a minute of the rows whose offset lies below their partition's fence. */
export async function readMinuteTotals(
  connection: DruidConnection,
  datasource: string,
  epoch: number,
  range: { from: number; to: number },
  fences: readonly number[],
): Promise<MinuteTotals[]> {
  const within = storableRange(range)
  const below = fences.map((fence, partition) => `(log_partition = ${partition} AND log_offset < ${fence})`)
  if (within.from >= within.to || below.length === 0) return []
  const sql = `SELECT project, t, n, CAST(r AS VARCHAR) FROM (
SELECT project, TIME_FLOOR(__time, 'PT1M') AS t, COUNT(*) AS n, SUM(revenue) AS r
FROM ${tableSql(datasource)}
WHERE log_epoch = ${epoch} AND ${withinSql(within)} AND (${below.join(' OR ')})
GROUP BY 1, 2
)
ORDER BY project, t`
  const context = { doing: 'reading totals for the audit' }
  const rows = await connection.rows<[string, string, number, string]>(sql, context)
  return rows.map(([project, t, events, revenue]) => ({
    project,
    minute: Date.parse(t),
    events,
    revenue: BigInt(revenue),
  }))
}

/**
 * Rows, and distinct (epoch, partition, offset), by whole minutes. A row that stood there twice would do so in the same
 * minute, so that minutes are looked at a few at a time.
 */
export async function readIntegrity(
  connection: DruidConnection,
  datasource: string,
  range: { from: number; to: number },
): Promise<{ rows: number; distinct: number }> {
  const doing = 'checking the archive'
  const { from, to } = storableRange({
    from: Math.floor(range.from / MINUTE_MS) * MINUTE_MS,
    to: Math.ceil(range.to / MINUTE_MS) * MINUTE_MS,
  })
  if (from >= to) return { rows: 0, distinct: 0 }
  const table = tableSql(datasource)
  const minutes = await connection.rows<[string, number]>(
    `SELECT TIME_FLOOR(__time, 'PT1M'), COUNT(*) FROM ${table} WHERE ${withinSql({ from, to })} GROUP BY 1 ORDER BY 1`,
    { doing },
  )
  let rows = 0
  let distinct = 0
  for (let first = 0; first < minutes.length; ) {
    let compared = 0
    let next = first
    for (; next < minutes.length; next++) {
      const count = (minutes[next] as [string, number])[1]
      if (compared > 0 && compared + count > COMPARED_ROWS) break
      compared += count
    }
    const timeOf = (i: number) => Date.parse((minutes[i] as [string, number])[0])
    const within = withinSql({ from: timeOf(first), to: timeOf(next - 1) + MINUTE_MS })
    const [row] = await connection.rows<[number, number]>(
      `SELECT SUM(n), COUNT(*) FROM (
SELECT log_epoch, log_partition, log_offset, COUNT(*) AS n FROM ${table} WHERE ${within} GROUP BY 1, 2, 3
)`,
      { doing },
    )
    rows += row?.[0] ?? 0
    distinct += row?.[1] ?? 0
    first = next
  }
  return { rows, distinct }
}
