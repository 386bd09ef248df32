import type { ClickHouseSettings } from '@clickhouse/client'

/*
 * A cluster of ClickHouse: `nowcast.events` is a Distributed table over `nowcast.events_local` of each shard, which is
 * replicated. Rows go to a shard by their log partition, in the foreground, so that an insert that was answered has
 * ended everywhere; what a crash tears between shards is mended as what it tears between months. `nowcast.rollups` is made
 * the same way, its rows by project and hour. Other tables are small, replicated within the shard that is spoken to; the
 * list of users to delete is the same on every node. Untried for want of a cluster; its statements are checked for form.
 */

/** Tables that are spread over the shards, and by what. */
const SPREAD: Record<string, string> = { events: 'log_partition', rollups: 'cityHash64(project, hour)' }

/** With every statement: answers rest on what a majority of replicas has, also after another replica was asked. */
export const CLUSTER_SETTINGS: ClickHouseSettings = {
  insert_quorum: 'auto',
  insert_quorum_parallel: 0,
  select_sequential_consistency: '1',
  distributed_foreground_insert: 1,
  alter_sync: '2',
}

const CREATE_DATABASE = /^CREATE DATABASE IF NOT EXISTS nowcast\b/
const CREATE_TABLE = /^((?:\s*--.*\n)*\s*)CREATE TABLE IF NOT EXISTS nowcast\.(\w+)/
const ALTER_TABLE = /^((?:\s*--.*\n)*\s*)ALTER TABLE nowcast\.(\w+)/
/** What a Distributed table has too. */
const COLUMNS = /\b(ADD|DROP|MODIFY) COLUMN\b/
const ENGINE = /\bENGINE = MergeTree\b/
/** What every node reads of its own: statements that change rows run where these are. */
const EVERYWHERE = ['deleted_users']
const EVERYWHERE_TABLE = new RegExp(`\\bnowcast\\.(${EVERYWHERE.join('|')})\\b`, 'g')
const PROJECTION = /mergeTreeProjection\('nowcast', 'events', ('\w+')\)/g
const SPREAD_TABLE = new RegExp(`\\btable = '(${Object.keys(SPREAD).join('|')})'`, 'g')
const SYSTEM_TABLE = /\bsystem\.(mutations|projection_parts|parts|one)\b/g

/** A statement for a single server as the statements that do the same in a cluster. */
export function clusterStatements(sql: string, cluster: string): string[] {
  const on = ` ON CLUSTER '${cluster}'`
  if (CREATE_DATABASE.test(sql)) return [sql.replace(CREATE_DATABASE, (start) => start + on)]
  const created = CREATE_TABLE.exec(sql)?.[2]
  if (created !== undefined) {
    const local = sql
      .replace(CREATE_TABLE, (_, comment) => `${comment}CREATE TABLE IF NOT EXISTS nowcast.${localName(created)}${on}`)
      .replace(ENGINE, `ENGINE = ${replicatedEngine(created)}`)
    const by = SPREAD[created]
    if (by === undefined) return [local]
    const engine = `Distributed('${cluster}', 'nowcast', '${created}_local', ${by})`
    return [local, `CREATE TABLE IF NOT EXISTS nowcast.${created}${on} AS nowcast.${created}_local ENGINE = ${engine}`]
  }
  const altered = ALTER_TABLE.exec(sql)?.[2]
  if (altered === undefined) return [sql]
  const alter = (table: string) =>
    sql.replace(ALTER_TABLE, (_, comment) => `${comment}ALTER TABLE nowcast.${table}${on}`)
  const isBoth = altered in SPREAD && COLUMNS.test(sql)
  return isBoth ? [alter(localName(altered)), alter(altered)] : [alter(localName(altered))]
}

/** A question about the tables' own state, asked of every node. */
export function clusterQuestion(sql: string, cluster: string): string {
  const asked = sql
    .replace(PROJECTION, (_, name) => `cluster('${cluster}', mergeTreeProjection('nowcast', 'events_local', ${name}))`)
    .replace(EVERYWHERE_TABLE, (table) => `clusterAllReplicas('${cluster}', ${table})`)
    .replace(SYSTEM_TABLE, (table) => `clusterAllReplicas('${cluster}', ${table})`)
  return asked === sql ? sql : asked.replace(SPREAD_TABLE, "table = '$1_local'")
}

/** Without the shard in its path, a table is the same on all nodes. */
const replicatedEngine = (table: string) =>
  EVERYWHERE.includes(table)
    ? `ReplicatedMergeTree('/clickhouse/tables/nowcast/${table}', '{shard}-{replica}')`
    : 'ReplicatedMergeTree'

const localName = (table: string) => (table in SPREAD ? `${table}_local` : table)
