import type { FunnelRequest, FunnelRow } from '../../ports/event-store.ts'
import type { ClickHouseConnection } from './clickhouse-connection.ts'
import { funnelSizeStatement, funnelStatement } from './funnel-sql.ts'
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
  const passes = Math.ceil((await countEvents(connection, request)) / eventsAtATime)
  for (let share = 0; share < passes; share++) {
    const { sql, parameters } = funnelStatement(request, { share, of: passes })
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

async function countEvents(connection: ClickHouseConnection, request: FunnelRequest): Promise<number> {
  const { sql, parameters } = funnelSizeStatement(request)
  const context = { doing: 'reading the size of a funnel', parameters, signal: request.signal }
  const [row] = await connection.rows<[string]>(sql, context)
  return Number(row?.[0] ?? 0)
}

function first({ users }: FunnelRow): number {
  return users[0] as number
}
