import { NowcastError } from '../../errors.ts'
import type { ClickHouseConnection } from './clickhouse-connection.ts'
import { loadMigrations } from './load-migrations.ts'
import { NOTING } from './statement-settings.ts'

const CREATE_LEDGER = `CREATE TABLE IF NOT EXISTS nowcast.migrations
(
  version UInt32,
  name String,
  applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY version`

/**
 * Brings the tables to this version. Every step can be repeated, so that a start that was cut short goes on with the
 * next one, and processes that start together do no harm.
 * @throws NowcastError `archive_unavailable` when the tables belong to a newer Nowcast
 */
export async function migrate(connection: ClickHouseConnection): Promise<void> {
  const doing = 'preparing the tables'
  const migrations = await loadMigrations()
  await connection.command('CREATE DATABASE IF NOT EXISTS nowcast ENGINE = Atomic', { doing })
  await connection.command(CREATE_LEDGER, { doing })
  const rows = await connection.rows<[number]>('SELECT DISTINCT version FROM nowcast.migrations ORDER BY version', {
    doing,
  })
  const applied = new Set(rows.map(([version]) => version))
  const known = migrations.at(-1)?.version ?? 0
  const newest = Math.max(0, ...applied)
  if (newest > known) {
    throw new NowcastError(
      'archive_unavailable',
      `The tables in ClickHouse are of version ${newest}, this Nowcast knows ${known}: upgrade Nowcast`,
    )
  }
  for (const { version, name, statements } of migrations) {
    if (applied.has(version)) continue
    for (const statement of statements) await connection.command(statement, { doing })
    await connection.command('INSERT INTO nowcast.migrations (version, name) SELECT {version:UInt32}, {name:String}', {
      doing,
      parameters: { version, name },
      settings: NOTING,
    })
  }
}
