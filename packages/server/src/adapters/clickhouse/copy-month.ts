import { randomBytes } from 'node:crypto'
import type { ClickHouseSettings } from '@clickhouse/client'
import { NowcastError } from '../../errors.ts'
import type { ClickHouseConnection } from './clickhouse-connection.ts'
import { readClock } from './read-archive.ts'
import { monthStretch, readRolledMonths } from './rolled-months.ts'
import { COPYING, NOTING } from './statement-settings.ts'

const DOING = 'rolling up a month'
const DAY_MS = 86_400_000
/** A copy that is not done by then counts no more: far less than what makes it a leftover, or the announcement lapse. */
const COPY_WITHIN_MS = 6 * 3_600_000
const CELL = 'cell_name, cell_country, cell_device, cell_category, hot1, hot2, unconverted'
/** As the migration says it, so that a month's hours are read from its projection. */
const HOURS =
  "toStartOfHour(ts) >= toDateTime({from:UInt32}, 'UTC') AND toStartOfHour(ts) < toDateTime({to:UInt32}, 'UTC')"

/**
 * Copies the hours of a month whose events come no more into `nowcast.rollups`, and says so in one last statement, which
 * does nothing unless the copy holds every event of the month, it is not older than it should be, and no other copy was
 * reported meanwhile. Events are dropped only after such a report: a copy that finds none was made of all of them.
 *
 * Killed at any point, it leaves rows that nobody reads.
 *
 * @throws NowcastError `archive_unavailable` when the month is not rolled up now, by this copy or by another
 */
export async function copyMonth(
  connection: ClickHouseConnection,
  month: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const copy = `${month}.${randomBytes(6).toString('hex')}`
  const until = (await readClock(connection)) + COPY_WITHIN_MS
  const { from, to } = monthStretch(month)
  const run = async (sql: string, parameters: Record<string, unknown>, settings: ClickHouseSettings = NOTING) => {
    await connection.command(sql, { doing: DOING, parameters, settings, ...(signal && { signal }) })
  }

  const days = await connection.rows<[number]>(
    `SELECT DISTINCT intDiv(toUnixTimestamp(toStartOfHour(ts)), 86400) AS day FROM nowcast.events WHERE ${HOURS} ORDER BY day`,
    { doing: DOING, parameters: { from: from / 1000, to: to / 1000 } },
  )
  // A day at a time: archiving goes on in between, and memory is that of a day.
  for (const day of days.map(([number]) => number * DAY_MS)) {
    await run(
      `INSERT INTO nowcast.rollups
SELECT {copy:String}, project, toStartOfHour(ts), ${CELL}, count(), sum(revenue), countIf(revenue < 0),
  sumIf(revenue, revenue < 0), uniqCombined64State(14)(user_hash),
  uniqCombined64IfState(14)(session_hash, session_hash != 0)
FROM nowcast.events
WHERE ${HOURS}
GROUP BY project, toStartOfHour(ts), ${CELL}`,
      { copy, from: day / 1000, to: (day + DAY_MS) / 1000 },
      COPYING,
    )
  }
  await run(
    `INSERT INTO nowcast.frontiers
SELECT {copy:String}, log_epoch, log_partition, max(log_offset), argMax(received_at, log_offset)
FROM nowcast.events
WHERE toYYYYMM(ts) = {month:UInt32}
GROUP BY log_epoch, log_partition`,
    { copy, month },
  )
  await run(
    `INSERT INTO nowcast.rolled_months (month, copy, step, events, revenue)
SELECT {month:UInt32}, {copy:String}, 'copied', copied.n, copied.r
FROM (SELECT sum(events) AS n, sum(summed) AS r FROM nowcast.rollups WHERE copy = {copy:String}) AS copied
CROSS JOIN (SELECT count() AS n, sum(revenue) AS r FROM nowcast.events WHERE ${HOURS}) AS held
WHERE copied.n = held.n AND copied.r = held.r AND copied.n > 0
  AND now64(3) < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
  AND (SELECT count() FROM nowcast.rolled_months WHERE month = {month:UInt32} AND step != 'announced') = 0`,
    { month, copy, until, from: from / 1000, to: to / 1000 },
  )
  if ((await readRolledMonths(connection)).some((rolled) => rolled.month === month)) return
  throw new NowcastError(
    'archive_unavailable',
    `the hours of ${month} are not its events, or took too long to copy: nothing was deleted, it is tried again`,
    { retryable: true },
  )
}
