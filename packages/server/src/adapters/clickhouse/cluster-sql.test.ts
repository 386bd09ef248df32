import type { ClickHouseClient } from '@clickhouse/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clickHouseFixture } from './clickhouse.conformance.ts'
import { clusterQuestion, clusterStatements } from './cluster-sql.ts'
import { loadMigrations } from './load-migrations.ts'

const fixture = clickHouseFixture()
let client: ClickHouseClient
beforeAll(async () => {
  client = fixture.client(await fixture.engine(await fixture.folder()))
})
afterAll(() => fixture.cleanUp())

/** What ClickHouse's own parser makes of a statement. */
const parsed = async (sql: string) =>
  (await client.query({ query: `EXPLAIN AST ${sql}`, format: 'TabSeparatedRaw' })).text()

describe('in a cluster', () => {
  test('every migration is a statement on the cluster that ClickHouse’s parser takes', async () => {
    const statements = (await loadMigrations()).flatMap((migration) => migration.statements)
    expect(statements.length).toBeGreaterThan(4)
    for (const statement of statements.flatMap((sql) => clusterStatements(sql, 'main'))) {
      expect(statement).toContain("ON CLUSTER 'main'")
      expect(statement).not.toMatch(/ENGINE = MergeTree/)
      expect(await parsed(statement)).toMatch(/CreateQuery|AlterQuery/)
    }
  })

  test('events are replicated on each shard and asked over all, by log partition', () => {
    const [local, over] = clusterStatements(
      'CREATE TABLE IF NOT EXISTS nowcast.events\n(\n  x Int8\n)\nENGINE = MergeTree',
      'c',
    )
    expect(local).toBe(
      "CREATE TABLE IF NOT EXISTS nowcast.events_local ON CLUSTER 'c'\n(\n  x Int8\n)\nENGINE = ReplicatedMergeTree",
    )
    expect(over).toContain("ENGINE = Distributed('c', 'nowcast', 'events_local', log_partition)")
  })

  test('columns are added on both sides, everything else where the rows are', () => {
    const tablesOf = (sql: string) => clusterStatements(sql, 'c').map((each) => /ALTER TABLE (\S+)/.exec(each)?.[1])
    expect(tablesOf('ALTER TABLE nowcast.events ADD COLUMN x Int8')).toEqual(['nowcast.events_local', 'nowcast.events'])
    expect(tablesOf('ALTER TABLE nowcast.events MATERIALIZE PROJECTION p')).toEqual(['nowcast.events_local'])
    expect(tablesOf("ALTER TABLE nowcast.events UPDATE url = '' WHERE 1")).toEqual(['nowcast.events_local'])
    expect(tablesOf('ALTER TABLE nowcast.rejected_events MODIFY TTL x')).toEqual(['nowcast.rejected_events'])
  })

  test('months are deleted, and users rewritten, on every node', async () => {
    const on = (sql: string) => clusterStatements(sql, 'c')
    expect(on('ALTER TABLE nowcast.events DROP PARTITION 202509')).toEqual([
      "ALTER TABLE nowcast.events_local ON CLUSTER 'c' DROP PARTITION 202509",
    ])
    expect(on("ALTER TABLE nowcast.rollups DROP PARTITION '202509.1f3a5c7e9b2d'")).toEqual([
      "ALTER TABLE nowcast.rollups_local ON CLUSTER 'c' DROP PARTITION '202509.1f3a5c7e9b2d'",
    ])
    const [users] = on('CREATE TABLE IF NOT EXISTS nowcast.deleted_users\n(\n  x Int8\n)\nENGINE = MergeTree')
    expect(users).toContain("ReplicatedMergeTree('/clickhouse/tables/nowcast/deleted_users', '{shard}-{replica}')")
    const [local, over] = on('CREATE TABLE IF NOT EXISTS nowcast.rollups\n(\n  x Int8\n)\nENGINE = MergeTree')
    expect(local).toContain('nowcast.rollups_local')
    expect(over).toContain("ENGINE = Distributed('c', 'nowcast', 'rollups_local', cityHash64(project, hour))")
  })

  test('what each node must have, and have done, is asked of each', async () => {
    const parts = "SELECT partition FROM system.parts WHERE database = 'nowcast' AND table = 'rollups'"
    expect(clusterQuestion(parts, 'c')).toBe(
      "SELECT partition FROM clusterAllReplicas('c', system.parts) WHERE database = 'nowcast' AND table = 'rollups_local'",
    )
    const listed =
      'SELECT (SELECT count() FROM nowcast.deleted_users WHERE salt = 1) >= (SELECT count() FROM system.one)'
    expect(clusterQuestion(listed, 'c')).toBe(
      "SELECT (SELECT count() FROM clusterAllReplicas('c', nowcast.deleted_users) WHERE salt = 1) >= (SELECT count() FROM clusterAllReplicas('c', system.one))",
    )
    expect(await parsed(clusterQuestion(listed, 'c'))).toContain('SelectQuery')
  })

  test('questions about rollups and parts reach every node, others are the same', async () => {
    const rollup = "SELECT countMerge(`count()`) FROM mergeTreeProjection('nowcast', 'events', 'rollup_minute')"
    const parts = "SELECT name FROM system.projection_parts WHERE database = 'nowcast' AND table = 'events'"
    expect(clusterQuestion(rollup, 'c')).toContain(
      "cluster('c', mergeTreeProjection('nowcast', 'events_local', 'rollup_minute'))",
    )
    expect(clusterQuestion(parts, 'c')).toBe(
      "SELECT name FROM clusterAllReplicas('c', system.projection_parts) WHERE database = 'nowcast' AND table = 'events_local'",
    )
    for (const sql of [rollup, parts]) expect(await parsed(clusterQuestion(sql, 'c'))).toContain('SelectQuery')
    expect(clusterQuestion('SELECT 1 FROM nowcast.events', 'c')).toBe('SELECT 1 FROM nowcast.events')
  })
})
