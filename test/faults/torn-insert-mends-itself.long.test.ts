import { pino } from 'pino'
import { afterAll, afterEach, expect, test } from 'vitest'
import {
  clickHouseFixture,
  signalEngine,
} from '../../packages/server/src/adapters/clickhouse/clickhouse.conformance.ts'
import { NowcastError } from '../../packages/server/src/errors.ts'
import type { EventStore } from '../../packages/server/src/ports/event-store.ts'
import { generateTraffic, type KnownBatch } from './harness/generated-traffic.ts'
import { faultSeed, seededRandom } from './harness/seeded-random.ts'
import { type ServerParts, startParts, sumOf, wrongFigures } from './harness/server-parts.ts'

const DAY_MS = 86_400_000
const MOST_TRIES = 40

const fixture = clickHouseFixture()
let parts: ServerParts | undefined
afterEach(async () => {
  await parts?.stop()
  parts = undefined
})
afterAll(() => fixture.cleanUp())

/** Batches over three months and more: several parts in one insert. */
function batchesOverMonths(count: number, seed: number, months: number): KnownBatch[] {
  const random = seededRandom(seed)
  const nextBatch = generateTraffic({ random, name: `seed-${seed}`, startedAt: Date.now() })
  return Array.from({ length: count }, () => {
    const events = nextBatch().events.map((event) => {
      const timestamp = Date.now() - random.between(DAY_MS, months * 30 * DAY_MS)
      return { ...event, timestamp }
    })
    return { key: 'secret' as const, events }
  })
}

function monthOf(row: string): number {
  const time = new Date(Number(/"ts":(\d+)/.exec(row)?.[1]))
  return time.getUTCFullYear() * 12 + time.getUTCMonth()
}

/** Of the first insert only the parts of some months land; then the engine is gone. */
function losingMonths(eventStore: EventStore, isLost: (month: number) => boolean): EventStore {
  let isTorn = false
  return {
    ...eventStore,
    async insert(rows) {
      if (isTorn) return eventStore.insert(rows)
      isTorn = true
      const landed = Buffer.from(rows).toString().trimEnd().split('\n')
      const left = landed.filter((row) => !isLost(monthOf(row)))
      if (left.length === 0 || left.length === landed.length) throw new Error('the insert is not torn')
      await eventStore.insert(Buffer.from(`${left.join('\n')}\n`))
      throw new NowcastError('archive_unavailable', 'the engine was killed', { retryable: true })
    },
  }
}

const NOW = new Date()
const RUNNING_MONTH = NOW.getUTCFullYear() * 12 + NOW.getUTCMonth()

test.each([
  ['the oldest month', (month: number) => month < RUNNING_MONTH - 1],
  ['the newest months', (month: number) => month >= RUNNING_MONTH - 1],
  ['every other month', (month: number) => month % 2 === 0],
])('an insert over three months that lost %s is mended when the archive resumes', async (_name, isLost) => {
  const eventStore = await fixture.store(await fixture.folder())
  const wrap = { eventStore: (store: EventStore) => losingMonths(store, isLost) }
  parts = await startParts({ path: await fixture.folder(), eventStore, wrap })
  const batches = batchesOverMonths(40, 11, 3)
  for (const batch of batches.slice(0, 30)) await parts.accept(batch)
  await parts.consume()
  for (const batch of batches.slice(30)) await parts.accept(batch)
  await parts.caughtUp()
  const expected = sumOf(batches)
  // Too old for the hot store, which keeps a day.
  const wrong = (await wrongFigures(parts, expected)).filter((line) => !line.startsWith('live'))
  expect(wrong).toEqual([])
})

test('kill -9 of the engine between two parts of an insert is mended', async () => {
  const seed = faultSeed()
  const random = seededRandom(seed)
  const dataDir = await fixture.folder()
  const eventStore = await fixture.store(dataDir)
  let mended = 0
  const write = (line: string) => {
    if (line.includes('torn')) mended++
  }
  const logger = pino({ level: 'warn' }, { write })
  let insertBegan = () => {}
  const wrap = {
    eventStore: (store: EventStore): EventStore => ({
      ...store,
      insert(rows) {
        insertBegan()
        return store.insert(rows)
      },
    }),
  }
  parts = await startParts({ path: await fixture.folder(), eventStore, wrap, logger })
  await parts.consume()
  const sent: KnownBatch[] = []
  for (let i = 0; i < MOST_TRIES && mended < 2; i++) {
    // Many months are many parts, and so many moments between them.
    for (const batch of batchesOverMonths(5, seed + i + 1, 30)) {
      sent.push(batch)
      insertBegan = () => {
        insertBegan = () => {}
        setTimeout(() => signalEngine(dataDir, 'SIGKILL'), random.between(5, 250))
      }
      await parts.accept(batch)
    }
    await parts.caughtUp()
  }
  process.stdout.write(`${mended} torn inserts mended, ${sumOf(sent).events} events\n`)
  expect(mended).toBeGreaterThan(0)
  const wrong = (await wrongFigures(parts, sumOf(sent))).filter((line) => !line.startsWith('live'))
  expect(wrong).toEqual([])
})
