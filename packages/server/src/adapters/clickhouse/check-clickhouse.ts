import { text } from 'node:stream/consumers'
import type { Finding } from '../../ports/finding.ts'
import { checkedSettings, checkProfile, checkRights, NEEDED_RIGHTS, type StatementBounds } from './check-profile.ts'
import { checkDurability, checkLease, checkParts, checkVersionOfTables, type EventsTable } from './check-tables.ts'
import { type ClickHouseConnection, createClickHouseConnection } from './clickhouse-connection.ts'
import { loadMigrations } from './load-migrations.ts'

/** Oldest version whose `nowInBlock64` and projections we rely on. */
const OLDEST: readonly [number, number] = [25, 8]
/** Leases of inserts are told by its clock: more than this between two readings of it would be no reading, ms. */
const MOST_SKEW_MS = 2000
const CONNECT_MS = 5000
/** A process asks so much at a time. */
const LEAST_QUERIES = 16
const DOING = 'looking at the server'

/** Looks at everything that matters to Nowcast in a ClickHouse server. Changes nothing, never throws. */
export async function checkClickHouse(url: string, bounds: StatementBounds = {}): Promise<Finding[]> {
  try {
    const connection = createClickHouseConnection({ url }, { timeoutMs: CONNECT_MS })
    try {
      const server = await checkServer(connection)
      const user = await checkUser(connection, bounds)
      return [...server, ...user, ...(await checkTables(connection))]
    } finally {
      await connection.stop()
    }
  } catch (error) {
    return [{ what: 'ClickHouse connection', ok: false, message: (error as Error).message }]
  }
}

async function checkServer(connection: ClickHouseConnection): Promise<Finding[]> {
  const before = Date.now()
  const [version, time] = await one<[string, string]>(
    connection,
    'SELECT version(), toString(toUnixTimestamp64Milli(now64(3)))',
  )
  const skewMs = Math.round(Number(time) - (before + Date.now()) / 2)
  const [free] = await one<[string]>(connection, 'SELECT toString(min(free_space / total_space)) FROM system.disks')
  const [queries] = await one<[string]>(
    connection,
    "SELECT toString(any(value)) FROM system.server_settings WHERE name = 'max_concurrent_queries'",
  )
  return [
    { what: 'ClickHouse connection', ok: true, message: 'it answers' },
    checkVersion(version),
    checkDisk(Number(free)),
    checkClock(skewMs),
    checkQueries(Number(queries)),
  ]
}

async function checkUser(connection: ClickHouseConnection, bounds: StatementBounds): Promise<Finding[]> {
  const rows = await connection.rows<[string, string, string | null, string | null, boolean]>(
    `SELECT name, value, toString(min), toString(max), readonly = 1 FROM system.settings
WHERE name IN {names:Array(String)}`,
    { doing: DOING, parameters: { names: checkedSettings(bounds) } },
  )
  const settings = rows.map(([name, value, min, max, isFixed]) => ({
    name,
    value,
    min,
    max,
    isFixed: Boolean(isFixed),
  }))
  const lacking: string[] = []
  for (const right of NEEDED_RIGHTS) {
    // It takes no format.
    const answer = await connection.stream(`CHECK GRANT ${right} ON nowcast.*`, { doing: DOING })
    if ((await text(answer)).trim() !== '1') lacking.push(right)
  }
  const profile = checkProfile(settings, bounds)
  // One that may only read lacks all the others for that reason.
  return profile[0]?.ok ? [...profile, checkRights(lacking)] : profile
}

async function checkTables(connection: ClickHouseConnection): Promise<Finding[]> {
  const tables = await connection.rows<[string, string, string]>(
    "SELECT name, engine_full, create_table_query FROM system.tables WHERE database = 'nowcast'",
    { doing: DOING },
  )
  const known = (await loadMigrations()).at(-1)?.version ?? 0
  const isThere = tables.some(([name]) => name === 'migrations')
  const [version] = isThere ? await one<[number]>(connection, 'SELECT max(version) FROM nowcast.migrations') : []
  const defaults = await connection.rows<[string, string]>(
    "SELECT name, value FROM system.merge_tree_settings WHERE name IN ('parts_to_throw_insert', 'max_parts_in_total')",
    { doing: DOING },
  )
  // In a cluster, the one beneath the Distributed table.
  const found = ['events_local', 'events'].map((name) => tables.find((table) => table[0] === name)).find(Boolean)
  const events: EventsTable | undefined = found && { name: found[0], engine: found[1], statement: found[2] }
  return [
    checkVersionOfTables(version, known),
    checkParts(new Map(defaults), events),
    ...(events ? [checkDurability(events), checkLease(events)] : []),
  ]
}

async function one<T extends unknown[]>(connection: ClickHouseConnection, sql: string): Promise<T> {
  return (await connection.rows<T>(sql, { doing: DOING }))[0] as T
}

function checkVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const ok = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])
  return {
    what: 'ClickHouse version',
    ok,
    message: ok ? version : `${version}: upgrade to ${OLDEST.join('.')} or newer`,
  }
}

function checkDisk(free: number): Finding {
  const percent = `${Math.round(free * 100)} % of the fullest disk are free`
  const ok = free > 0.05
  return { what: 'ClickHouse disk', ok, message: ok ? percent : `${percent}: make room, or shorten the retention` }
}

function checkClock(skewMs: number): Finding {
  const ok = Math.abs(skewMs) <= MOST_SKEW_MS
  const message = `${Math.abs(skewMs)} ms ${skewMs < 0 ? 'behind' : 'ahead of'} this machine`
  return { what: 'ClickHouse clock', ok, message: ok ? message : `${message}: synchronise both with NTP` }
}

function checkQueries(most: number): Finding {
  const ok = most === 0 || most >= LEAST_QUERIES
  const message = most === 0 ? 'as many at a time as come' : `${most} at a time`
  return {
    what: 'ClickHouse queries',
    ok,
    message: ok ? message : `${message}, a process asks up to ${LEAST_QUERIES}: raise max_concurrent_queries`,
  }
}
