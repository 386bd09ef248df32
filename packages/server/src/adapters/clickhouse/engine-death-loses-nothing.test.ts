import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import type { EventStore } from '../../ports/event-store.ts'
import { type ModelEvent, rowsOf } from '../../ports/event-store-model.conformance.ts'
import { clickHouseFixture, signalEngine } from './clickhouse.conformance.ts'

const fixture = clickHouseFixture()
afterAll(() => fixture.cleanUp())

const MONTHS = [Date.UTC(2025, 0, 31), Date.UTC(2025, 1, 1)]

function eventAt(offset: number): ModelEvent {
  return {
    ...{ offset, partition: offset % 2, project: 'p', id: `e${offset}`, name: 'click', userId: `u${offset % 50}` },
    ...{ ts: (MONTHS[offset % 3 ? 0 : 1] as number) + offset, country: 'US', device: 'mobile', category: '(none)' },
  }
}

/** Asks until the engine runs again. */
async function persistently<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      expect(error).toMatchObject({ code: 'archive_unavailable', retryable: true })
      await sleep(50)
    }
  }
}

async function archived(store: EventStore, from: number, to: number): Promise<Set<number>> {
  const ranges = [0, 1].map((partition) => persistently(() => store.archivedRanges(1, partition, from, to)))
  const found = (await Promise.all(ranges)).flat()
  return new Set(found.flatMap((range) => Array.from({ length: range.to - range.from }, (_, i) => range.from + i)))
}

test('kill -9 of the engine at any moment of an insert loses no acknowledged row and doubles none', async () => {
  const dataDir = await fixture.folder()
  const store = await fixture.store(dataDir)
  const size = 3000
  let offset = 0
  for (let round = 0; round < 7; round++) {
    const killing = sleep(round * 17).then(() => signalEngine(dataDir, 'SIGKILL'))
    for (let alive = true; alive; offset += size) {
      let missing = Array.from({ length: size }, (_, i) => offset + i)
      while (missing.length > 0) {
        try {
          await store.insert(rowsOf(missing.map(eventAt)))
          missing = []
        } catch (error) {
          expect(error).toMatchObject({ code: 'archive_unavailable', retryable: true })
          alive = false
          const there = await archived(store, offset, offset + size)
          missing = missing.filter((wanted) => !there.has(wanted))
        }
      }
    }
    await killing
  }
  expect(await store.integrity(Date.UTC(2025, 0), Date.UTC(2025, 3))).toEqual({
    ...{ rows: offset, distinct: offset, rolledUp: offset },
  })
  const frontiers = await store.frontiers(1)
  expect(frontiers.map((frontier) => frontier.offset)).toEqual([offset - 2, offset - 1])
})

test('after an unknown outcome nothing of the insert can land any more', async () => {
  const dataDir = await fixture.folder()
  const store = await fixture.store(dataDir, { timeoutMs: 500 })
  expect(signalEngine(dataDir, 'SIGSTOP')).toBe(true)
  const rows = rowsOf(Array.from({ length: 1000 }, (_, offset) => eventAt(offset)))
  await expect(store.insert(rows)).rejects.toMatchObject({ code: 'archive_unavailable', retryable: true })
  const before = await archived(store, 0, 1000)
  await sleep(500)
  expect(await archived(store, 0, 1000)).toEqual(before)
  expect(before.size).toBe(0)
})

test('what was acknowledged is there after a restart', async () => {
  const dataDir = await fixture.folder()
  const first = await fixture.store(dataDir)
  await first.insert(rowsOf(Array.from({ length: 100 }, (_, offset) => eventAt(offset))))
  await first.stop()
  await expect(first.frontiers(1)).rejects.toMatchObject({ code: 'archive_unavailable' })
  const second = await fixture.store(dataDir)
  expect(await second.integrity(0, 8e15)).toEqual({ rows: 100, distinct: 100, rolledUp: 100 })
  expect((await second.frontiers(1)).map(({ offset }) => offset)).toEqual([98, 99])
})
