import { afterAll, expect, test } from 'vitest'
import { randomEvents, rowsOf } from '../../ports/event-store.conformance.ts'
import { clickHouseFixture } from './clickhouse.conformance.ts'
const fixture = clickHouseFixture()
afterAll(() => fixture.cleanUp())
test('x', async () => {
  const store = await fixture.store(await fixture.folder())
  const out: unknown[] = []
  const t = async (f: () => Promise<unknown>) => { try { out.push(await f()) } catch (e) { out.push(String(e)) } }
  await t(() => store.integrity(0, 1e15))
  await t(() => store.integrity(5, 5))
  await store.insert(rowsOf(randomEvents(1)))
  await t(() => store.integrity(0, 1e15))
  await t(() => store.integrity(0, 100000))
  await store.insert(rowsOf(randomEvents(3000)))
  for (let i = 0; i < 40; i++) await store.insert(rowsOf(randomEvents(20).map((e, j) => ({ ...e, offset: 100000 + i * 100 + j }))))
  await t(() => store.integrity(0, 1e15))
  const e = randomEvents(1)[0]!
  for (const w of [1, 2, 10, 100]) await t(() => store.integrity(Math.floor(e.ts / 60000) * 60000, Math.floor(e.ts / 60000) * 60000 + w * 60000))
  expect(out).toEqual([])
})
