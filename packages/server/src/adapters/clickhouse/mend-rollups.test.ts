import { truncateSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { randomEvents } from '../../ports/event-store.conformance.ts'
import { rowsOf } from '../../ports/event-store-model.conformance.ts'
import { clickHouseFixture } from './clickhouse.conformance.ts'

const fixture = clickHouseFixture()
afterAll(() => fixture.cleanUp())

const [FROM, TO] = [Date.UTC(2025, 0), Date.UTC(2027, 0)]
const WHOLE = { rows: 500, distinct: 500, rolledUp: 500 }

test('rollups that a power cut tore are made again from their rows', async () => {
  const dataDir = await fixture.folder()
  const store = await fixture.store(dataDir)
  await store.insert(rowsOf(randomEvents(500)))
  await store.stop()
  let torn = 0
  for (const file of await readdir(dataDir, { recursive: true })) {
    if (!file.endsWith('rollup_minute.proj/data.bin')) continue
    truncateSync(join(dataDir, file), 0)
    torn++
  }
  expect(torn).toBeGreaterThan(0)
  const again = await fixture.store(dataDir)
  await expect.poll(() => again.integrity(FROM, TO), { timeout: 5000 }).toEqual(WHOLE)
  await again.stop()
  const connection = await fixture.connection(dataDir)
  const sql = 'SELECT toUInt32(countIf(is_broken)), count() > 0 FROM system.projection_parts WHERE active'
  await expect.poll(() => connection.rows(sql, { doing: 'testing' }), { timeout: 5000 }).toEqual([[0, 1]])
})
