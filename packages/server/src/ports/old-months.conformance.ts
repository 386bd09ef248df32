import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { anyRequest, naiveAggregate, randomEvents } from './event-store.conformance.ts'
import type { AggregateRequest, EventStore, RetiredMonths } from './event-store.ts'
import { type ModelEvent, rowsOf } from './event-store-model.conformance.ts'

const HOUR_MS = 3_600_000
const NOVEMBER = Date.UTC(2025, 10)
const ALWAYS = { from: Date.UTC(2025, 0), to: Date.UTC(2027, 0) }
const SHOP = { project: 'shop', ...ALWAYS, filters: [], bots: true, timezone: 'UTC' }
const NOTHING: RetiredMonths = { announced: [], rolledUp: [], dropped: [], forgotten: [], strayed: [] }

/** What is left of events: in months before November they happened at the hour. */
const hourly = (events: readonly ModelEvent[]) =>
  events.map((event) => (event.ts < NOVEMBER ? { ...event, ts: event.ts - (event.ts % HOUR_MS) } : event))

const RAW = ['browser', 'properties.plan']
const byHours = anyRequest.filter(
  ({ granularity, breakdown, filters }) =>
    granularity !== 'minute' &&
    ![breakdown, ...filters.map(({ dimension }) => dimension)].some((dimension) => RAW.includes(dimension as string)),
)
const WHOLE_ZONES = ['UTC', 'Europe/Berlin', 'America/New_York']
/** Neither the range nor its buckets cut an hour. */
const isWhole = ({ from, to, granularity, timezone }: AggregateRequest) =>
  from % HOUR_MS === 0 && to % HOUR_MS === 0 && (granularity === undefined || WHOLE_ZONES.includes(timezone))

/** What an event store promises of months whose events it deletes for their age. */
/** @param open a store of its own, empty storage, whose steps may follow each other at once */
export function oldMonthsConformance(open: () => Promise<EventStore>): void {
  describe('old months', { timeout: 300_000 }, () => {
    const events = randomEvents(1500)
    const old = events.filter(({ ts }) => ts < NOVEMBER)
    const beside = async () => [
      await store.excluded(SHOP),
      (await store.frontiers(1)).map(({ partition, offset, receivedAt }) => ({ partition, offset, receivedAt })),
      [await store.hasOtherEpochs(1), await store.hasOtherEpochs(2), await store.firstEventAt('nobody')],
    ]
    const answersByHours = () =>
      fc.assert(
        fc.asyncProperty(byHours, async (request) => {
          const expected = naiveAggregate(hourly(events), request)
          expect(await store.aggregate(request)).toEqual(expected)
          if (isWhole(request)) expect(expected).toEqual(naiveAggregate(events, request))
        }),
        { numRuns: 15, examples: [[{ ...SHOP, measures: ['events', 'users', 'sessions', 'revenue'] }]] },
      )

    let store: EventStore
    let before: unknown[]
    beforeAll(async () => {
      store = await open()
      await store.insert(rowsOf(events))
      before = await beside()
    })

    test('a month is announced before anything else, and answers from its events meanwhile', async () => {
      expect(await store.keptFrom()).toBe(0)
      expect(await store.retireMonths({ eventsFrom: NOVEMBER - 1 })).toEqual(NOTHING)
      expect(await store.retireMonths({ eventsFrom: NOVEMBER })).toEqual({ ...NOTHING, announced: [202510] })
      expect(await store.keptFrom()).toBe(NOVEMBER)
      expect(await store.rolledUp()).toEqual([])
    })

    test('rolled up it answers as before, to the unit and the last decimal, from its hours', async () => {
      expect(await store.retireMonths({ eventsFrom: NOVEMBER })).toEqual({ ...NOTHING, rolledUp: [202510] })
      expect(await store.rolledUp()).toEqual([{ from: Date.UTC(2025, 9), to: NOVEMBER }])
      await answersByHours()
      expect(await beside()).toEqual(before)
      expect((await store.integrity(ALWAYS.from, ALWAYS.to)).rows).toBe(events.length)
    })

    test('and so it does when its events are deleted', async () => {
      const revision = await store.revision(ALWAYS.from, ALWAYS.to)
      expect(await store.retireMonths({ eventsFrom: NOVEMBER })).toEqual({ ...NOTHING, dropped: [202510] })
      await answersByHours()
      expect(await beside()).toEqual(before)
      expect(await store.revision(ALWAYS.from, ALWAYS.to)).not.toBe(revision)
      const kept = events.length - old.length
      expect(await store.integrity(ALWAYS.from, ALWAYS.to)).toEqual({ rows: kept, distinct: kept, rolledUp: kept })
      expect(await store.recent({ ...SHOP, to: NOVEMBER }, 10)).toEqual([])
      const first = Math.min(...old.filter(({ project }) => project === 'shop').map(({ ts }) => ts))
      expect(await store.firstEventAt('shop')).toBe(first - (first % HOUR_MS))
    })

    test('the audit is told up to which offset events may be missing, and what the hours hold', async () => {
      const retiredTo = [0, 1, 2].map((partition) =>
        Math.max(...old.filter((event) => event.partition === partition).map(({ offset }) => offset + 1)),
      )
      expect((await store.frontiers(1)).map((frontier) => frontier.retiredTo)).toEqual(retiredTo)
      const month = { from: Date.UTC(2025, 9), to: NOVEMBER, events: old.length, held: old.length }
      expect(await store.rolledUpTotals()).toEqual([month])
      expect(await store.retireMonths({ eventsFrom: NOVEMBER })).toEqual(NOTHING)
    })

    test('events that come in spite of that stay, are told, and change no answer', async () => {
      await store.insert(rowsOf([{ ...(old[0] as ModelEvent), offset: 9000, partition: 2 }]))
      const strayed = [{ month: 202510, events: 1 }]
      expect(await store.retireMonths({ eventsFrom: NOVEMBER })).toEqual({ ...NOTHING, strayed })
      await answersByHours()
      expect((await store.recent({ ...SHOP, project: old[0]?.project ?? '', to: NOVEMBER }, 10)).length).toBe(1)
    })

    test('hours are deleted by their own age, and are missed by nobody then', async () => {
      const fresh = await open()
      await fresh.insert(rowsOf(events))
      const retirement = { eventsFrom: Date.UTC(2026, 4), rollupsFrom: NOVEMBER }
      expect((await fresh.retireMonths(retirement)).announced).toEqual([202510, 202604])
      expect((await fresh.retireMonths(retirement)).rolledUp).toEqual([202510, 202604])
      const dropped = { ...NOTHING, dropped: [202510, 202604], forgotten: [202510] }
      expect(await fresh.retireMonths(retirement)).toEqual(dropped)
      expect(await fresh.retireMonths(retirement)).toEqual(NOTHING)
      const total = (range: object) => fresh.aggregate({ ...SHOP, ...range, bots: true, measures: ['events'] })
      expect(await total({ to: NOVEMBER })).toEqual([])
      const left = events.filter(({ ts, project }) => project === 'shop' && ts >= NOVEMBER).length
      expect((await total({}))[0]?.values).toEqual([BigInt(left)])
      expect((await fresh.rolledUpTotals()).map(({ events, held }) => held - events)).toEqual([0, 0])
      expect(await fresh.keptFrom()).toBe(Date.UTC(2026, 4))
    })
  })
}
