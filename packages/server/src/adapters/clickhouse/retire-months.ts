import type { RetiredMonths, Retirement } from '../../ports/event-store.ts'
import type { ClickHouseConnection } from './clickhouse-connection.ts'
import { copyMonth } from './copy-month.ts'
import {
  ANNOUNCED_MS,
  isRolledUp,
  monthOf,
  type OldMonth,
  type RolledMonth,
  readOldMonths,
  readRolledMonths,
} from './rolled-months.ts'
import { DROPPING, NOTING } from './statement-settings.ts'

const DOING = 'deleting old months'
/** Hours that nobody reads: whoever copied them was killed, or was not the first. */
const LEFTOVER_S = 86_400
const COPY = /^(\d{6})\.[0-9a-f]{12}$/

/**
 * Replaces the events of old months by their hours. In one pass a month is announced, so that no process takes events of
 * it any more; in a later one it is copied, and from then on questions read the copy; in a later one its events go:
 * questions that began before have ended by then. Each step leaves a state from which any process goes on, and processes
 * that work at the same time only do the same twice.
 *
 * @param settleMs time between the steps
 */
export function createMonthRetirer(connection: ClickHouseConnection, settleMs: number) {
  const ask = <T extends unknown[]>(sql: string, parameters: Record<string, unknown> = {}) =>
    connection.rows<T>(sql, { doing: DOING, parameters })

  /** Partitions of a table that have rows. */
  async function partitionsOf(table: 'events' | 'rollups', condition = '1'): Promise<string[]> {
    const rows = await ask<[string]>(
      `SELECT partition FROM system.parts WHERE database = 'nowcast' AND table = '${table}' AND active AND rows > 0
GROUP BY partition HAVING ${condition} ORDER BY partition`,
    )
    return rows.map(([partition]) => partition)
  }

  /** A step is noted before it is taken. */
  async function note(step: OldMonth['step'], of: Pick<OldMonth, 'month' | 'copy' | 'events' | 'revenue'>) {
    const { month, copy, events, revenue } = of
    await connection.command(
      `INSERT INTO nowcast.rolled_months (month, copy, step, events, revenue)
SELECT {month:UInt32}, {copy:String}, {step:String}, {events:UInt64}, toDecimal128({revenue:String}, 4)`,
      {
        doing: DOING,
        parameters: { month, copy, step, events, revenue },
        settings: NOTING,
      },
    )
  }

  const drop = (table: 'events' | 'rollups', partition: string) =>
    connection.command(`ALTER TABLE nowcast.${table} DROP PARTITION ${partition}`, { doing: DOING, settings: DROPPING })

  /** Events of a month that its copy does not hold: they came when they should have been refused. */
  async function strayed({ month, copy }: RolledMonth): Promise<number> {
    const key = 'log_epoch, log_partition'
    const [row] = await ask<[string]>(
      `SELECT toString(count())
FROM (SELECT ${key}, log_offset FROM nowcast.events WHERE toYYYYMM(ts) = {month:UInt32}) AS held
LEFT JOIN (
  SELECT ${key}, max(log_offset) + 1 AS copied_to FROM nowcast.frontiers WHERE copy = {copy:String} GROUP BY ${key}
) AS copied USING (${key})
WHERE log_offset >= copied_to`,
      { month, copy },
    )
    return Number(row?.[0] ?? 0)
  }

  async function retireEvents(month: RolledMonth, done: RetiredMonths): Promise<void> {
    const strays = await strayed(month)
    if (strays > 0) {
      done.strayed.push({ month: month.month, events: strays })
      return
    }
    if (month.step === 'copied') await note('dropped', month)
    await drop('events', String(month.month))
    done.dropped.push(month.month)
  }

  async function retireHours(rolled: readonly RolledMonth[], before: number, done: RetiredMonths): Promise<void> {
    const held = new Set(await partitionsOf('events'))
    const copies = await partitionsOf('rollups')
    for (const month of rolled) {
      const own = copies.filter((copy) => COPY.exec(copy)?.[1] === String(month.month))
      if (month.month >= before || month.step === 'copied' || held.has(String(month.month)) || own.length === 0)
        continue
      if (month.step === 'dropped') await note('forgotten', month)
      for (const copy of own) await drop('rollups', `'${copy}'`)
      done.forgotten.push(month.month)
    }
  }

  async function dropLeftovers(rolled: readonly RolledMonth[]): Promise<void> {
    const counted = new Set(rolled.map(({ copy }) => copy))
    const old = await partitionsOf('rollups', `max(modification_time) < now() - ${LEFTOVER_S}`)
    for (const copy of old) if (COPY.test(copy) && !counted.has(copy)) await drop('rollups', `'${copy}'`)
  }

  return async ({ eventsFrom, rollupsFrom, signal }: Retirement): Promise<RetiredMonths> => {
    const done: RetiredMonths = { announced: [], rolledUp: [], dropped: [], forgotten: [], strayed: [] }
    const old = new Map((await readOldMonths(connection)).map((month) => [month.month, month]))
    for (const partition of await partitionsOf('events')) {
      signal?.throwIfAborted()
      const number = Number(partition)
      if (number >= monthOf(eventsFrom)) continue
      const month = old.get(number)
      if (month && isRolledUp(month)) {
        if (month.step !== 'copied' || month.copiedForMs >= settleMs) await retireEvents(month, done)
      } else if (month === undefined || month.announcedForMs > ANNOUNCED_MS / 2) {
        await note('announced', { month: number, copy: '', events: '0', revenue: '0' })
        done.announced.push(number)
      } else if (month.announcedForMs >= settleMs) {
        await copyMonth(connection, number, signal)
        done.rolledUp.push(number)
      }
    }
    const now = await readRolledMonths(connection)
    if (rollupsFrom !== undefined) await retireHours(now, monthOf(rollupsFrom), done)
    await dropLeftovers(now)
    return done
  }
}
