import type { Finding } from '../../ports/finding.ts'
import { createClickHouseConnection } from './clickhouse-connection.ts'
import { loadMigrations } from './load-migrations.ts'

/** Oldest version whose `nowInBlock64` and projections we rely on. */
const OLDEST: readonly [number, number] = [25, 8]
/** Leases of inserts are told by its clock: more than this between two readings of it would be no reading, ms. */
const MOST_SKEW_MS = 2000
const CONNECT_MS = 5000

/** Looks at everything that matters to Nowcast in a ClickHouse server. Changes nothing, never throws. */
export async function checkClickHouse(url: string): Promise<Finding[]> {
  try {
    const connection = createClickHouseConnection({ url }, { timeoutMs: CONNECT_MS })
    try {
      const doing = 'looking at the server'
      const one = async <T extends unknown[]>(sql: string) => (await connection.rows<T>(sql, { doing }))[0] as T
      const before = Date.now()
      const [version, time] = await one<[string, string]>(
        'SELECT version(), toString(toUnixTimestamp64Milli(now64(3)))',
      )
      const skewMs = Math.round(Number(time) - (before + Date.now()) / 2)
      const [readonly] = await one<[string]>("SELECT value FROM system.settings WHERE name = 'readonly'")
      const [free] = await one<[string]>('SELECT toString(min(free_space / total_space)) FROM system.disks')
      const known = (await loadMigrations()).at(-1)?.version ?? 0
      return [
        { what: 'ClickHouse connection', ok: true, message: 'it answers' },
        checkVersion(version),
        checkReadonly(readonly),
        checkDisk(Number(free)),
        checkClock(skewMs),
        checkTables(await tableVersion(one), known),
      ]
    } finally {
      await connection.stop()
    }
  } catch (error) {
    return [{ what: 'ClickHouse connection', ok: false, message: (error as Error).message }]
  }
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

function checkReadonly(value: string): Finding {
  const ok = value === '0'
  const message = ok
    ? 'the user may write'
    : 'the user may only read (readonly = 1): give --clickhouse one that may write'
  return { what: 'ClickHouse rights', ok, message }
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

async function tableVersion(one: <T extends unknown[]>(sql: string) => Promise<T>): Promise<number | undefined> {
  const sql = "SELECT toString(count()) FROM system.tables WHERE database = 'nowcast' AND name = 'migrations'"
  const [isThere] = await one<[string]>(sql)
  if (isThere === '0') return undefined
  const [version] = await one<[number]>('SELECT max(version) FROM nowcast.migrations')
  return version
}

function checkTables(found: number | undefined, known: number): Finding {
  const what = 'ClickHouse tables'
  if (found === undefined) return { what, ok: true, message: 'not there yet: the server makes them at its first start' }
  if (found > known) {
    return { what, ok: false, message: `of version ${found}, this Nowcast knows ${known}: upgrade Nowcast` }
  }
  return {
    what,
    ok: true,
    message: `version ${found}${found < known ? `, brought to ${known} at the next start` : ''}`,
  }
}
