import type { ClickHouseConnection } from './clickhouse-connection.ts'

/**
 * Has rollups that a power cut tore made again from the rows of their parts, in the background. `fsync_after_insert`
 * covers a part's rows, not its projections; until they are mended, ClickHouse answers from the rows.
 */
export async function mendRollups(connection: ClickHouseConnection): Promise<void> {
  const doing = 'mending rollups'
  const broken = await connection.rows<[string]>(
    `SELECT DISTINCT name FROM system.projection_parts
WHERE database = 'nowcast' AND table = 'events' AND active AND is_broken`,
    { doing },
  )
  for (const [name] of broken) {
    await connection.command(`ALTER TABLE nowcast.events MATERIALIZE PROJECTION ${name}`, { doing })
  }
}
