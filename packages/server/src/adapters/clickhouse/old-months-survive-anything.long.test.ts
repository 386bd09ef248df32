import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Measure, RetiredMonths } from '../../ports/event-store.ts'
import { type ModelEvent, rowsOf } from '../../ports/event-store-model.conformance.ts'
import { clickHouseFixture } from './clickhouse.conformance.ts'
import type { ClickHouseConnection } from './clickhouse-connection.ts'
import { migrate } from './migrate.ts'
import { readAggregate } from './read-aggregate.ts'
import { readFrontiers } from './read-archive.ts'
import { createMonthRetirer } from './retire-months.ts'
import { readRolledMonths } from './rolled-months.ts'

const fixture = clickHouseFixture()
afterAll(() => fixture.cleanUp())

const HOUR_MS = 3_600_000
/** Statements that change something, from a month's announcement to the end of its events. */
const STEPS = 7
/** Between two days that are copied; before the copy counts; before and after it is noted that events go. */
const DANGEROUS = [2, 4, 5, 6]
/** Seconds on an idle machine. */
const MOST_MS = 600_000
const MEASURES: Measure[] = ['events', 'revenue', 'users', 'sessions']

let connection: ClickHouseConnection
beforeAll(async () => {
  connection = await fixture.connection(await fixture.folder())
  await migrate(connection)
})

const everything = async () => [
  await readAggregate(
    connection,
    {
      ...{ project: 'shop', from: 0, to: Date.UTC(2100, 0), filters: [], bots: true, timezone: 'UTC' },
      ...{ measures: MEASURES, granularity: 'day' },
    },
    await readRolledMonths(connection),
  ),
  (await readFrontiers(connection, 1)).map(({ partition, offset }) => [partition, offset]),
]

let months = 0
/** Writes events on the edges of a month of its own, and says where it ends. */
async function nextMonth(): Promise<number> {
  const [from, to] = [Date.UTC(2020, months), Date.UTC(2020, months + 1)]
  const times = [from, from + 5 * HOUR_MS, to - 1]
  const events = times.map(
    (ts, i): ModelEvent => ({
      ...{ offset: months * 10 + i, partition: i % 2, project: 'shop', id: `e${months}-${i}`, name: 'purchase', ts },
      ...{
        userId: `u${i}`,
        sessionId: `s${i}`,
        country: 'DE',
        device: 'mobile',
        category: '(none)',
        revenue: `${i}.25`,
      },
    }),
  )
  await connection.insert('nowcast.events', rowsOf(events), { doing: 'testing' })
  months++
  return to
}

/** Passes until nothing is left to do. */
async function retireAll(eventsFrom: number): Promise<void> {
  const retire = createMonthRetirer(connection, 0)
  let done: RetiredMonths
  do done = await retire({ eventsFrom })
  while (Object.values(done).some((list) => list.length > 0))
}

/** A connection that does something before each statement, and something after. */
function around(before: (statement: number) => Promise<void>, after: (statement: number) => Promise<void>) {
  let statement = 0
  const wrapped: ClickHouseConnection = {
    ...connection,
    async command(sql, context) {
      const number = statement++
      await before(number)
      await connection.command(sql, context)
      await after(number)
    },
  }
  return { wrapped, statements: () => statement }
}

test('of two processes at once, one that halts anywhere and goes on when the other has ended changes nothing', {
  timeout: MOST_MS,
}, async () => {
  for (let halt = 0; halt < STEPS; halt++) {
    const end = await nextMonth()
    const expected = await everything()
    const { wrapped, statements } = around(
      async (number) => {
        if (number === halt) await retireAll(end)
      },
      async () => {},
    )
    const slow = createMonthRetirer(wrapped, 0)
    for (let pass = 0; pass < 4; pass++) expect((await slow({ eventsFrom: end })).strayed).toEqual([])
    expect(await everything()).toEqual(expected)
    expect(statements()).toBeGreaterThan(Math.min(halt, 5))
    expect(await heldMonths()).toEqual([])
  }
})

test('killed before a statement, the answers stay, and the next process ends the work', {
  timeout: MOST_MS,
}, async () => {
  for (const last of DANGEROUS) {
    const end = await nextMonth()
    const expected = await everything()
    const { wrapped } = around(
      async (number) => {
        if (number === last) throw new Error('killed')
      },
      async () => {},
    )
    const killed = createMonthRetirer(wrapped, 0)
    const passes = async () => {
      for (let pass = 0; pass < 4; pass++) await killed({ eventsFrom: end })
    }
    await expect(passes()).rejects.toThrow('killed')
    expect(await everything()).toEqual(expected)
    await retireAll(end)
    expect(await everything()).toEqual(expected)
    expect(await heldMonths()).toEqual([])
  }
})

test('a month is not copied while its copy lacks an event, and nothing is deleted', { timeout: MOST_MS }, async () => {
  const end = await nextMonth()
  const expected = await everything()
  const late = around(
    async () => {},
    async (number) => {
      // After the first day was copied.
      if (number !== 0) return
      const [offset, ts] = [9_000_000, Date.UTC(2020, months - 1)]
      const event = { offset, project: 'blog', id: 'late', name: 'click', ts, userId: 'u', country: 'DE' }
      await connection.insert('nowcast.events', rowsOf([{ ...event, device: 'mobile', category: '(none)' }]), {
        doing: 'testing',
      })
    },
  )
  await createMonthRetirer(connection, 0)({ eventsFrom: end })
  const retire = createMonthRetirer(late.wrapped, 0)
  await expect(retire({ eventsFrom: end })).rejects.toMatchObject({ code: 'archive_unavailable', retryable: true })
  expect((await everything())[0]).toEqual(expected[0])
  expect(await heldMonths()).toEqual([String(202_001 + 100 * Math.floor((months - 1) / 12) + ((months - 1) % 12))])
  await retireAll(end)
  expect((await everything())[0]).toEqual(expected[0])
  expect(await heldMonths()).toEqual([])
})

async function heldMonths(): Promise<string[]> {
  const rows = await connection.rows<[string]>(
    `SELECT DISTINCT partition FROM system.parts
WHERE database = 'nowcast' AND table = 'events' AND active AND rows > 0 ORDER BY partition`,
    { doing: 'testing' },
  )
  return rows.map(([partition]) => partition)
}
