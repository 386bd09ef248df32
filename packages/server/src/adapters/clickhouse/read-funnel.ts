import { OTHER } from '@nowcast/protocol'
import type { FunnelRequest, FunnelRow } from '../../ports/event-store.ts'
import { aggregateStatement } from './aggregate-sql.ts'
import type { ClickHouseConnection } from './clickhouse-connection.ts'
import { needsRawRows } from './dimension-sql.ts'
import { type FunnelStatement, funnelSizeStatement, funnelStatement } from './funnel-sql.ts'
import { storableRange } from './time-segments.ts'

/** Events that are sorted at a time: some 50 bytes of ClickHouse's memory each. */
const EVENTS_AT_A_TIME = 8_000_000

/** Counts users step by step; many events in several passes over other users each, so that memory is bounded. */
export async function readFunnel(
  connection: ClickHouseConnection,
  given: FunnelRequest,
  eventsAtATime = EVENTS_AT_A_TIME,
): Promise<FunnelRow[]> {
  const request = storableRange(given)
  const whole: FunnelRow = { key: null, users: request.steps.map(() => 0) }
  if (request.from >= request.to) return [whole]
  const byKey = new Map<string, FunnelRow>()
  const { events, byCells } = await sizeUp(connection, request, eventsAtATime)
  const passes = Math.ceil(events / eventsAtATime)
  for (let share = 0; share < passes; share++) {
    const { sql, parameters } = funnelStatement(request, { share, of: passes, byCells })
    const context = { doing: 'reading a funnel', parameters, signal: request.signal }
    for (const [isWhole, key, ...users] of await connection.rows<[number, string, ...string[]]>(sql, context)) {
      const row = isWhole ? whole : (byKey.get(key) ?? { key, users: request.steps.map(() => 0) })
      for (const [i, count] of users.entries()) row.users[i] = (row.users[i] as number) + Number(count)
      if (!isWhole) byKey.set(key, row)
    }
  }
  if (request.breakdown === undefined) return [whole]
  const rows = [...byKey.values()].sort((a, b) => first(b) - first(a) || ((a.key ?? '') < (b.key ?? '') ? -1 : 1))
  return [whole, ...rows]
}

/**
 * At least as many events as the steps match, and whether their names are known by their cells: rollups tell, where only
 * names and cells are asked for. Names beyond the bound on a dimension's values share the cell `(other)`.
 */
async function sizeUp(connection: ClickHouseConnection, request: FunnelRequest, enough: number) {
  const { steps, filters } = request
  const names = [...new Set(steps.map(({ name }) => name)), OTHER]
  const known = filters.filter((filter) => !needsRawRows({ ...request, filters: [filter] }))
  const byName = await rowsOf<[number, string, string]>(
    aggregateStatement({
      ...request,
      filters: [...known, { dimension: 'name', values: names }],
      breakdown: 'name',
      measures: ['events'],
      timezone: 'UTC',
    }),
  )
  const byCells = byName.every(([, name]) => name !== OTHER)
  const events = byName.reduce((sum, [, , count]) => sum + Number(count), 0)
  const isClose = byCells && known.length === filters.length && steps.every((step) => step.filters.length === 0)
  if (events <= enough || isClose) return { events, byCells }
  const [matching] = await rowsOf<[string]>(funnelSizeStatement(request))
  return { events: Number(matching?.[0] ?? 0), byCells }

  function rowsOf<T extends unknown[]>({ sql, parameters }: FunnelStatement): Promise<T[]> {
    return connection.rows<T>(sql, { doing: 'reading the size of a funnel', parameters, signal: request.signal })
  }
}

function first({ users }: FunnelRow): number {
  return users[0] as number
}
