import { afterAll, beforeAll, expect, test } from 'vitest'
import { clickHouseFixture } from './clickhouse.conformance.ts'
import type { ClickHouseConnection } from './clickhouse-connection.ts'
import { loadMigrations, splitStatements } from './load-migrations.ts'
import { migrate } from './migrate.ts'
import { insertRejected } from './rejected-events.ts'

const fixture = clickHouseFixture()
let connection: ClickHouseConnection
beforeAll(async () => {
  connection = await fixture.connection(await fixture.folder())
})
afterAll(() => fixture.cleanUp())

const versions = async () => {
  const rows = await connection.rows<[number]>('SELECT version FROM nowcast.migrations ORDER BY version', {
    doing: 'testing',
  })
  return rows.map(([version]) => version)
}

test('each migration is applied once, in order, and a start that was cut short goes on', async () => {
  const known = (await loadMigrations()).map(({ version }) => version)
  expect(known).toEqual(known.map((_, i) => i + 1))
  await migrate(connection)
  await migrate(connection)
  expect(await versions()).toEqual(known)
  await connection.command('TRUNCATE TABLE nowcast.migrations', { doing: 'testing' })
  await migrate(connection)
  expect(await versions()).toEqual(known)
})

test('the table of refused events drops whole days that are older than a week', async () => {
  await migrate(connection)
  const days = [9, 8, 6, 0].map((days) => ({
    ...{ project: 'shop', receivedAt: Date.now() - days * 86_400_000, code: 'invalid_name', index: days },
    ...{ message: 'name must be a string', event: '{}' },
  }))
  await insertRejected(connection, days)
  await connection.command('OPTIMIZE TABLE nowcast.rejected_events FINAL', { doing: 'testing' })
  const sql = 'SELECT index FROM nowcast.rejected_events ORDER BY index'
  expect(await connection.rows<[number]>(sql, { doing: 'testing' })).toEqual([[0], [6]])
})

test('tables of a newer Nowcast are refused with the advice to upgrade', async () => {
  await migrate(connection)
  await connection.command("INSERT INTO nowcast.migrations (version, name) VALUES (9999, 'future')", {
    doing: 'testing',
  })
  await expect(migrate(connection)).rejects.toMatchObject({
    ...{ code: 'archive_unavailable', retryable: false, message: expect.stringMatching(/9999.*upgrade Nowcast/) },
  })
})

test('statements end with a semicolon at the end of a line', () => {
  expect(splitStatements("SELECT ';x' FROM t;\n\n-- why\nSELECT 2\n;\n")).toEqual([
    "SELECT ';x' FROM t",
    '-- why\nSELECT 2',
  ])
})
