import type { Frontier, MinuteTotals, OffsetRange, RolledUpMonth } from '../../ports/event-store.ts'
import type { ClickHouseConnection } from './clickhouse-connection.ts'
import { readRolledMonths } from './rolled-months.ts'
import { storableRange } from './time-segments.ts'

const OFFSETS = `log_epoch = {epoch:UInt32} AND log_partition = {partition:UInt16}
  AND log_offset >= {from:UInt64} AND log_offset < {to:UInt64}`

/** ClickHouse's clock, epoch ms. */
export async function readClock(connection: ClickHouseConnection): Promise<number> {
  const context = { doing: 'reading the clock' }
  const rows = await connection.rows<[string]>('SELECT toUnixTimestamp64Milli(now64(3))', context)
  return Number(rows[0]?.[0])
}

/** Highest archived offset of each partition, read from the projection `frontier` and from what deleted months left. */
export async function readFrontiers(connection: ClickHouseConnection, epoch: number): Promise<Frontier[]> {
  const sql = `SELECT p, max(o), toUnixTimestamp64Milli(argMax(r, o)), max(retired)
FROM (
  SELECT log_partition AS p, max(log_offset) AS o, argMax(received_at, log_offset) AS r, 0 AS retired
  FROM nowcast.events
  WHERE log_epoch = {epoch:UInt32}
  GROUP BY log_partition
  UNION ALL
  SELECT log_partition, log_offset, received_at, log_offset + 1 FROM nowcast.frontiers WHERE log_epoch = {epoch:UInt32}
)
GROUP BY p
ORDER BY p`
  const context = { doing: 'reading the frontiers', parameters: { epoch } }
  const rows = await connection.rows<[number, string, string, string]>(sql, context)
  return rows.map(([partition, offset, receivedAt, retiredTo]) => ({
    partition,
    offset: Number(offset),
    receivedAt: Number(receivedAt),
    retiredTo: Number(retiredTo),
  }))
}

/** Whether rows of another log epoch are archived, read from the projection `frontier`. */
export async function readHasOtherEpochs(connection: ClickHouseConnection, epoch: number): Promise<boolean> {
  const sql = `SELECT log_epoch FROM (
  SELECT log_epoch FROM nowcast.events WHERE log_epoch != {epoch:UInt32} GROUP BY log_epoch
  UNION ALL
  SELECT log_epoch FROM nowcast.frontiers WHERE log_epoch != {epoch:UInt32}
) LIMIT 1`
  const rows = await connection.rows<[number]>(sql, { doing: 'reading the epochs', parameters: { epoch } })
  return rows.length > 0
}

/** Which offsets of `[from, to)` are archived: stretches without a gap, ascending. */
export async function readArchivedRanges(
  connection: ClickHouseConnection,
  epoch: number,
  partition: number,
  from: number,
  to: number,
): Promise<OffsetRange[]> {
  // Offsets that follow each other are as far from their place in the order, all of them.
  const sql = `SELECT min(log_offset) AS first, max(log_offset) + 1 FROM (
  SELECT log_offset, log_offset - row_number() OVER (ORDER BY log_offset) AS stretch
  FROM (SELECT DISTINCT log_offset FROM nowcast.events WHERE ${OFFSETS})
) GROUP BY stretch ORDER BY first`
  const context = { doing: 'reading archived offsets', parameters: { epoch, partition, from, to } }
  const rows = await connection.rows<[string, string]>(sql, context)
  return rows.map((range) => ({ from: Number(range[0]), to: Number(range[1]) }))
}

/** Rows with an offset of `[from, to)`. */
export async function readOffsetCount(
  connection: ClickHouseConnection,
  epoch: number,
  partition: number,
  from: number,
  to: number,
): Promise<number> {
  const sql = `SELECT count() FROM nowcast.events WHERE ${OFFSETS}`
  const context = { doing: 'counting offsets', parameters: { epoch, partition, from, to } }
  const rows = await connection.rows<[string]>(sql, context)
  return Number(rows[0]?.[0] ?? 0)
}

/** Totals a minute of the rows whose offset lies below their partition's fence. */
export async function readMinuteTotals(
  connection: ClickHouseConnection,
  epoch: number,
  from: number,
  to: number,
  fences: readonly number[],
): Promise<MinuteTotals[]> {
  const sql = `SELECT project, toUnixTimestamp(toStartOfMinute(ts)) AS minute, count(), toString(toInt128(sum(revenue) * 10000))
FROM nowcast.events
WHERE log_epoch = {epoch:UInt32}
  AND ts >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
  AND log_offset < arrayElement({fences:Array(UInt64)}, log_partition + 1)
GROUP BY project, minute
ORDER BY project, minute`
  const parameters = { epoch, ...storableRange({ from, to }), fences: [...fences] }
  const context = { doing: 'reading totals for the audit', parameters }
  const rows = await connection.rows<[string, number, string, string]>(sql, context)
  return rows.map(([project, minute, events, revenue]) => ({
    project,
    minute: minute * 1000,
    events: Number(events),
    revenue: BigInt(revenue),
  }))
}

/** Rows, distinct (epoch, partition, offset), and rows counted through the minute rollup; by whole minutes. */
export async function readIntegrity(
  connection: ClickHouseConnection,
  from: number,
  to: number,
): Promise<{ rows: number; distinct: number; rolledUp: number }> {
  const doing = 'checking the archive'
  const range = storableRange({ from, to })
  const parameters = { from: Math.floor(range.from / 60_000) * 60, to: Math.ceil(range.to / 60_000) * 60 }
  const within = (time: string) =>
    `${time} >= toDateTime({from:UInt32}, 'UTC') AND ${time} < toDateTime({to:UInt32}, 'UTC')`
  const raw = await connection.rows<[string, string]>(
    `SELECT count(), uniqExact(log_epoch, log_partition, log_offset) FROM nowcast.events WHERE ${within('ts')}`,
    { doing, parameters },
  )
  // The projection itself, and not a query that ClickHouse may answer from rows.
  const rolledUp = await connection.rows<[string]>(
    `SELECT countMerge(\`count()\`) FROM mergeTreeProjection('nowcast', 'events', 'rollup_minute')
WHERE ${within('`toStartOfMinute(ts)`')}`,
    { doing, parameters },
  )
  return {
    rows: Number(raw[0]?.[0] ?? 0),
    distinct: Number(raw[0]?.[1] ?? 0),
    rolledUp: Number(rolledUp[0]?.[0] ?? 0),
  }
}

/** What the parts that reach into a range hold, and all hours: an insert adds rows, a mutation counts up the version. */
export async function readRevision(connection: ClickHouseConnection, from: number, to: number): Promise<string> {
  const sql = `SELECT sum(rows), max(max_block_number), max(data_version)
FROM system.parts
WHERE database = 'nowcast' AND active AND (table = 'rollups' OR (table = 'events'
  AND max_time >= toDateTime({from:UInt32}) AND min_time <= toDateTime({to:UInt32})))`
  const range = storableRange({ from, to })
  const parameters = { from: Math.floor(range.from / 1000), to: Math.ceil(range.to / 1000) }
  const [row] = await connection.rows<[string, string, string]>(sql, { doing: 'reading the parts', parameters })
  return (row ?? []).join(' ')
}

/** Months that were rolled up, with the events that they had and that their hours hold. */
export async function readRolledUpTotals(connection: ClickHouseConnection): Promise<RolledUpMonth[]> {
  const rolled = await readRolledMonths(connection)
  const sql = 'SELECT copy, sum(events) FROM nowcast.rollups WHERE copy IN {copies:Array(String)} GROUP BY copy'
  const parameters = { copies: rolled.map(({ copy }) => copy) }
  const rows = await connection.rows<[string, string]>(sql, { doing: 'counting rolled up months', parameters })
  const held = new Map(rows)
  return rolled.map(({ from, to, step, events, copy }) => ({
    ...{ from, to, held: Number(held.get(copy) ?? 0), events: step === 'forgotten' ? 0 : Number(events) },
  }))
}
