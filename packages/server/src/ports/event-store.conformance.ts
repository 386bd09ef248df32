import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test as run } from 'vitest'
import { bucketStart } from '../window/zone.ts'
import { checkRuns } from './check-runs.conformance.ts'
import type { AggregateRequest, AggregateRow, Dimension, EventStore, Measure, Selection } from './event-store.ts'
import { dimensionValue, isSelected, type ModelEvent, rowsOf } from './event-store-model.conformance.ts'
import { funnelConformance } from './funnel.conformance.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** Clocks turn in Berlin and New York (hours), and on Lord Howe Island (half an hour). */
const CENTRES = [Date.UTC(2025, 9, 4, 15), Date.UTC(2025, 9, 26, 1), Date.UTC(2026, 3, 4, 15)]
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Asia/Kathmandu', 'Australia/Lord_Howe']

const units = (decimal = '0') => BigInt(Math.round(Number(decimal) * 10_000))

function measure(events: readonly ModelEvent[], name: Measure): bigint {
  const of = (wanted: string) => events.filter((event) => event.name === wanted)
  const count = (list: readonly unknown[]) => BigInt(list.length)
  const distinct = (values: (string | undefined)[]) => BigInt(new Set(values).size)
  const sum = (list: readonly ModelEvent[]) => list.reduce((total, { revenue }) => total + units(revenue), 0n)
  const users = (list: readonly ModelEvent[]) => distinct(list.map((event) => event.userId ?? event.anonymousId))
  const orders = of('purchase').filter((event) => !event.unconverted && units(event.revenue) >= 0n)
  const all: Record<Measure, () => bigint> = {
    events: () => count(events),
    page_views: () => count(of('page_view')),
    clicks: () => count(of('click')),
    purchases: () => count(of('purchase')),
    errors: () => count(of('error')),
    revenue: () => sum(events),
    orders: () => count(orders),
    order_revenue: () => sum(orders),
    users: () => users(events),
    buyers: () => users(of('purchase')),
    sessions: () => distinct(events.flatMap(({ sessionId }) => (sessionId === undefined ? [] : [sessionId]))),
    active_users: () => users(events),
  }
  return all[name]()
}

/** The answer computed from the events one by one. */
export function naiveAggregate(events: readonly ModelEvent[], request: AggregateRequest): AggregateRow[] {
  const { from, to, granularity, timezone, breakdown, measures, limit, others } = request
  const selected = events.filter((event) => isSelected(event, request))
  const within = (a: number, b: number) => selected.filter(({ ts }) => ts >= a && ts < b)
  const keyOf = (event: ModelEvent) => (breakdown === undefined ? null : dimensionValue(event, breakdown))
  const rank = (rows: AggregateRow[]) =>
    rows.sort(
      (a, b) => Number((b.values[0] as bigint) - (a.values[0] as bigint)) || ((a.key ?? '') < (b.key ?? '') ? -1 : 1),
    )
  let kept = request.keys
  if (others) {
    const ranked = naiveAggregate(events, { ...request, others: false, limit: undefined })
    kept = ranked.flatMap(({ key }) => (key === '(other)' ? [] : (key as string))).slice(0, limit)
  }
  if (!kept && breakdown !== undefined && granularity !== undefined && limit !== undefined) {
    const first: Measure = measures[0] === 'active_users' ? 'users' : (measures[0] as Measure)
    const whole = { ...request, measures: [first, 'events' as const], granularity: undefined, limit: undefined }
    const ranked = naiveAggregate(events, whole).map(({ key }) => key as string)
    if (ranked.length > limit) kept = ranked.slice(0, limit)
  }
  const groups = new Map<string, { t: number; key: string | null; members: ModelEvent[][] }>()
  const put = (t: number, event: ModelEvent, place: number) => {
    const own = keyOf(event)
    const key = kept && own !== null && !kept.includes(own) ? '(other)' : own
    const id = `${t} ${key}`
    const group = groups.get(id) ?? { t, key, members: measures.map(() => []) }
    groups.set(id, group)
    group.members[place]?.push(event)
  }
  measures.forEach((name, place) => {
    if (name !== 'active_users') {
      for (const event of within(from, to))
        put(granularity ? bucketStart(granularity, timezone, event.ts) : from, event, place)
      return
    }
    const end = Math.ceil(to / MINUTE_MS) * MINUTE_MS
    const start = granularity ? Math.floor(from / MINUTE_MS) * MINUTE_MS : end - MINUTE_MS
    for (let t = start; t < end; t += MINUTE_MS) {
      for (const event of within(t - 4 * MINUTE_MS, t + MINUTE_MS)) put(granularity ? t : from, event, place)
    }
  })
  const rows = [...groups.values()]
    .map(({ t, key, members }) => ({ t, key, values: measures.map((name, i) => measure(members[i] ?? [], name)) }))
    .filter(({ values }) => values.some((value) => value !== 0n))
  const isOther = ({ key }: AggregateRow) => Number(key === '(other)')
  if (others) return rank(rows).sort((a, b) => isOther(a) - isOther(b))
  if (granularity === undefined) return rank(rows).slice(0, limit)
  return rows.sort((a, b) => a.t - b.t || ((a.key ?? '') < (b.key ?? '') ? -1 : 1))
}

/** Events of two projects around the days when clocks turn, from a fixed seed. */
export function randomEvents(count: number): ModelEvent[] {
  let state = 42
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T
  return Array.from({ length: count }, (_, offset): ModelEvent => {
    const name = pick(['page_view', 'page_view', 'click', 'purchase', 'error', 'signup'])
    const country = pick(['US', 'DE', 'FR', '(none)'])
    const foreign = name === 'purchase' && random() < 0.2
    const cents = `${Math.floor(random() * 300) - 60}.${pick(['5', '25', '125', '0001'])}`
    const revenue = name === 'purchase' && !foreign ? cents : undefined
    return {
      ...{ offset, id: `e${offset}`, name, country, project: random() < 0.9 ? 'shop' : 'blog' },
      ts: Math.floor(pick(CENTRES) + (random() - 0.5) * (random() < 0.5 ? 48 : 1) * HOUR_MS),
      partition: offset % 3,
      device: pick(['desktop', 'mobile', 'bot']),
      category: pick(['shoes', 'hats', '(none)', '(other)']),
      ...(random() < 0.5
        ? { userId: `u${Math.floor(random() * 80)}` }
        : { anonymousId: `a${Math.floor(random() * 80)}` }),
      sessionId: random() < 0.8 ? `s${Math.floor(random() * 150)}` : undefined,
      browser: pick(['Firefox', 'Chrome', undefined]),
      cellCountry: random() < 0.1 ? '(other)' : undefined,
      hot1: pick(['', 'acme', 'globex']),
      ...(foreign ? { amount: '7.5', currency: 'GBP', unconverted: 'GBP' } : { revenue, amount: revenue }),
      properties: pick([undefined, { plan: 'free' }, { plan: 2 }, { plan: null }, { plan: '', other: [1] }]),
    }
  })
}

const MEASURES: Measure[] = [
  ...(['events', 'page_views', 'clicks', 'purchases', 'errors', 'revenue'] as const),
  ...(['orders', 'order_revenue', 'users', 'buyers', 'sessions'] as const),
]
const DIMENSIONS: Dimension[] = ['name', 'country', 'device', 'category', 'hot1', 'browser', 'properties.plan']

const anyMoment = fc
  .tuple(fc.constantFrom(...CENTRES), fc.integer({ min: -26, max: 26 }), fc.nat(59), fc.nat(59_999))
  .chain(([centre, hours, minutes, ms]) =>
    fc.constantFrom(0, minutes * MINUTE_MS, minutes * MINUTE_MS + ms).map((rest) => centre + hours * HOUR_MS + rest),
  )
const anyFilter = fc.constantFrom<AggregateRequest['filters']>(
  ...[[], [], [{ dimension: 'country' as const, values: ['US', '(other)'] }]],
  [{ dimension: 'category', values: ['(none)'] }],
  [{ dimension: 'hot1', values: ['acme'] }],
  [
    { dimension: 'browser', values: ['(none)', 'Chrome'] },
    { dimension: 'name', values: ['purchase', 'click'] },
  ],
  [{ dimension: 'properties.plan', values: ['2', '(none)'] }],
)
export const anyRequest: fc.Arbitrary<AggregateRequest> = fc
  .record({
    project: fc.constantFrom('shop', 'blog'),
    moments: fc.tuple(anyMoment, anyMoment),
    filters: anyFilter,
    bots: fc.boolean(),
    measures: fc.uniqueArray(fc.constantFrom(...MEASURES), { minLength: 1 }),
    granularity: fc.constantFrom('minute', 'hour', 'day', undefined),
    timezone: fc.constantFrom(...ZONES),
    breakdown: fc.constantFrom(undefined, ...DIMENSIONS),
    limit: fc.constantFrom(undefined, 2),
    keys: fc.constantFrom<(string[] | undefined)[]>(undefined, undefined, ['US', 'purchase', 'acme']),
  })
  .map(({ moments: [a, b], ...rest }) => ({ ...rest, from: Math.min(a, b), to: Math.max(a, b) }))

/** A key whose measures are all 0 ranks before one whose first is 0 too: it must not take its place. */
const zeroBeforeNegative: AggregateRequest = {
  ...{ project: 'shop', filters: [], bots: false, measures: ['page_views', 'revenue'], timezone: 'UTC' },
  ...{ breakdown: 'name', limit: 2, from: Date.UTC(2025, 9, 4, 15), to: Date.UTC(2025, 9, 4, 16) },
}

/** Something that opens stores over the same storage, and can be called again. */
export interface EventStoreFixture {
  /** Opens and starts a store of its own, empty storage. */
  open(): Promise<EventStore>
  cleanUp(): Promise<void>
}

/**
 * What every event store promises. Distinct counts are compared exactly, since they are small.
 * @param exceptions tests that this one does not pass, by their names, each with the reason
 */
export function eventStoreConformance(
  name: string,
  fixture: EventStoreFixture,
  exceptions: Readonly<Record<string, string>> = {},
): void {
  describe(`event store ${name}`, () => {
    const excepted = new Set<string>()
    const test = (promise: string, check: () => Promise<void>) => {
      if (exceptions[promise] === undefined) run(promise, check)
      else excepted.add(promise)
    }
    const events = randomEvents(2000)
    let store: EventStore
    beforeAll(async () => {
      store = await fixture.open()
      for (let i = 0; i < events.length; i += 500) await store.insert(rowsOf(events.slice(i, i + 500)))
    })
    afterAll(() => fixture.cleanUp())

    const selection = (project: string, rest: Partial<Selection> = {}): Selection => ({
      ...{ project, from: Date.UTC(2025, 0), to: Date.UTC(2027, 0), filters: [], bots: true },
      ...rest,
    })

    test('every measure, bucket and breakdown equals a computation event by event', async () => {
      await fc.assert(
        fc.asyncProperty(anyRequest, async (request) => {
          expect(await store.aggregate(request)).toEqual(naiveAggregate(events, request))
        }),
        { numRuns: checkRuns(150), examples: [[zeroBeforeNegative]] },
      )
    })

    test('the largest keys by users and all others together are answered in one reading', async () => {
      const ranking = anyRequest.map((request) => ({
        ...request,
        granularity: undefined,
        keys: undefined,
        others: true,
      }))
      const how = fc.record({
        breakdown: fc.constantFrom(...DIMENSIONS),
        measures: fc.constantFrom<Measure[][]>(['users'], ['sessions'], ['buyers']),
        limit: fc.integer({ min: 1, max: 4 }),
      })
      const anyRanking = fc
        .tuple(ranking, how)
        .map(([request, chosen]): AggregateRequest => ({ ...request, ...chosen }))
      await fc.assert(
        fc.asyncProperty(anyRanking, async (request) => {
          expect(await store.aggregate(request)).toEqual(naiveAggregate(events, request))
        }),
        { numRuns: checkRuns(60) },
      )
    })

    test('active users are the distinct users of the trailing five minutes, whatever is filtered', async () => {
      const from = (CENTRES[1] as number) - 10 * MINUTE_MS
      const base = { ...selection('shop'), from, to: from + 20 * MINUTE_MS, timezone: 'UTC' }
      const requests: AggregateRequest[] = [
        { ...base, measures: ['active_users'], granularity: 'minute' },
        { ...base, measures: ['active_users'] },
        { ...base, measures: ['events', 'active_users'], granularity: 'minute', bots: false },
        { ...base, measures: ['active_users'], granularity: 'minute', breakdown: 'country', limit: 2 },
        { ...base, measures: ['active_users', 'users'], breakdown: 'device', limit: 1 },
        {
          ...{ ...base, measures: ['active_users'], granularity: 'minute' },
          filters: [{ dimension: 'browser', values: ['Chrome'] }],
        },
      ]
      for (const request of requests) {
        const rows = await store.aggregate(request)
        expect(rows).toEqual(naiveAggregate(events, request))
        expect(rows.length).toBeGreaterThan(0)
      }
    })

    test('rows, distinct offsets and rollups agree, by month and altogether', async () => {
      const whole = await store.integrity(Date.UTC(2025, 0), Date.UTC(2027, 0))
      expect(whole).toEqual({ rows: events.length, distinct: events.length, rolledUp: events.length })
      const october = events.filter(({ ts }) => ts < Date.UTC(2025, 10)).length
      expect((await store.integrity(Date.UTC(2025, 9), Date.UTC(2025, 10))).rolledUp).toBe(october)
    })

    test('the frontier of each partition is its highest offset, told apart by epoch', async () => {
      const last = [0, 1, 2].map((partition) => events.filter((event) => event.partition === partition).at(-1))
      expect(await store.frontiers(1)).toEqual(
        last.map((event, partition) => ({
          ...{ partition, offset: event?.offset, receivedAt: (event?.ts ?? 0) + 20, retiredTo: 0 },
        })),
      )
      expect(await store.frontiers(2)).toEqual([])
      expect(await store.countOffsets(1, 1, 0, 300)).toBe(100)
      expect(await store.archivedRanges(1, 2, 10, 20)).toEqual([
        { from: 11, to: 12 },
        { from: 14, to: 15 },
        { from: 17, to: 18 },
      ])
      expect(await store.archivedRanges(2, 2, 10, 20)).toEqual([])
    })

    test('rows whose lease has ended by the store’s own clock are refused, and their whole insert with them', async () => {
      const now = await store.now()
      expect(Math.abs(now - Date.now())).toBeLessThan(60_000)
      const leased = (offset: number, insertBefore: number) =>
        rowsOf([{ ...(events[0] as ModelEvent), epoch: 9, project: 'leased', offset }])
          .toString()
          .replace('{', `{"insert_before":${insertBefore},`)
      await store.insert(Buffer.from(leased(0, now + 60_000)), { timeoutMs: 30_000 })
      const late = `${leased(1, now + 60_000)}\n${leased(2, now - 1)}`
      await expect(store.insert(Buffer.from(late))).rejects.toMatchObject({ code: 'archive_unavailable' })
      expect(await store.archivedRanges(9, 0, 0, 10)).toEqual([{ from: 0, to: 1 }])
    })

    test('an insert over three months is found offset by offset', async () => {
      const months = [Date.UTC(2024, 0, 5), Date.UTC(2024, 1, 5), Date.UTC(2024, 2, 5)]
      const rows = Array.from(
        { length: 30 },
        (_, i): ModelEvent => ({
          ...(events[0] as ModelEvent),
          ...{ epoch: 7, partition: 4, offset: 100 + i * 2, project: 'months', ts: months[i % 3] as number },
        }),
      )
      await store.insert(rowsOf(rows))
      expect(await store.archivedRanges(7, 4, 0, 1000)).toEqual(
        rows.map(({ offset }) => ({ from: offset, to: offset + 1 })),
      )
      // Between them, in another insert, and once more where there is a row already.
      const first = rows[0] as ModelEvent
      await store.insert(rowsOf([101, 103, 109].map((offset) => ({ ...first, offset }))))
      expect(await store.archivedRanges(7, 4, 102, 115)).toEqual([
        { from: 102, to: 105 },
        { from: 106, to: 107 },
        { from: 108, to: 111 },
        { from: 112, to: 113 },
        { from: 114, to: 115 },
      ])
      expect(await store.firstEventAt('months')).toBe(months[0])
      expect(await store.firstEventAt('nobody')).toBeUndefined()
    })

    test('money is exact: three-decimal and negative prices add up to the last place', async () => {
      const prices = ['0.1', '0.2', '11.111', '-3.335', '0.0001', '1000000000', '-0.0001', '99999999.9999']
      const ts = Date.UTC(2025, 5, 1)
      const rows = Array.from(
        { length: 8000 },
        (_, i): ModelEvent => ({
          ...{ offset: i, epoch: 8, project: 'money', id: `m${i}`, name: 'purchase', ts: ts + i, userId: 'u' },
          ...{ country: 'US', device: 'desktop', category: '(none)', revenue: prices[i % 8], amount: prices[i % 8] },
        }),
      )
      await store.insert(rowsOf(rows))
      const exact = [1000n, 2000n, 111_110n, -33_350n, 1n, 10_000_000_000_000n, -1n, 999_999_999_999n]
      const sum = exact.reduce((a, b) => a + b) * 1000n
      const [row] = await store.aggregate({
        ...selection('money'),
        measures: ['revenue', 'order_revenue'],
        timezone: 'UTC',
      })
      expect(row?.values).toEqual([sum, sum + 33_351n * 1000n])
    })

    test('any text comes back as it was, and never acts as part of a statement', async () => {
      const texts = [
        `'; DROP TABLE nowcast.events; --`,
        `\\' OR 1=1 --`,
        'a\tb\nc\r\0d',
        '{p0:String}',
        '🦉 naïve ‮',
        '\\N',
        '%s ?',
      ]
      const ts = Date.UTC(2025, 6, 1)
      const properties = { ['__proto__']: { x: 1 }, 'quo"te\'s': texts, nested: { deep: [null, true, 1.5, '\u0001'] } }
      const rows = texts.map(
        (text, i): ModelEvent => ({
          ...{
            offset: i,
            epoch: 9,
            project: text,
            id: text,
            name: text,
            ts: ts + i,
            userId: text,
            url: text,
            title: text,
          },
          ...{ country: text, device: 'desktop', category: text, properties: { ...properties, text } },
        }),
      )
      await store.insert(rowsOf(rows))
      for (const [i, text] of texts.entries()) {
        const filters = [
          { dimension: 'category' as const, values: [text] },
          { dimension: 'properties.text' as const, values: [text] },
        ]
        const [found, ...more] = await store.recent(selection(text, { filters }), 10)
        expect(more).toEqual([])
        expect(found).toMatchObject({
          id: text,
          name: text,
          userId: text,
          url: text,
          title: text,
          t: ts + i,
          country: text,
        })
        expect(JSON.stringify(found?.properties)).toBe(JSON.stringify({ ...properties, text }))
        const [row] = await store.aggregate({
          ...selection(text),
          measures: ['events'],
          timezone: 'UTC',
          breakdown: 'name',
        })
        expect(row).toMatchObject({ key: text, values: [1n] })
      }
    })

    test('nor does the name of a property', async () => {
      const key = `x') OR ('1` as const
      const odd = {
        ...selection('shop'),
        measures: ['events'] as Measure[],
        timezone: 'UTC',
        breakdown: `properties.${key}` as const,
      }
      expect((await store.aggregate(odd)).map((row) => row.key)).toEqual(['(none)'])
    })

    test('a range beyond all time is the time there is', async () => {
      const [from, to] = [-8.64e15, 8.64e15]
      const always = { ...selection('shop'), from, to, timezone: 'Asia/Kolkata' }
      for (const granularity of [undefined, 'day'] as const) {
        const request: AggregateRequest = { ...always, measures: ['events', 'users'], granularity }
        expect(await store.aggregate(request)).toEqual(naiveAggregate(events, request))
      }
      expect((await store.recent(always, 1)).length).toBe(1)
      expect(await store.aggregate({ ...always, measures: ['events'], to: from })).toEqual([])
    })

    test('recent events come newest first, as sent, within the selection', async () => {
      const filters = [{ dimension: 'country' as const, values: ['US'] }]
      const expected = events
        .filter((event) => isSelected(event, selection('shop', { filters })))
        .sort((a, b) => b.ts - a.ts || b.offset - a.offset)
      const found = await store.recent(selection('shop', { filters }), 20)
      expect(found.map(({ id }) => id)).toEqual(expected.slice(0, 20).map(({ id }) => id))
      const paid = (await store.recent(selection('shop'), 2000)).filter(({ revenue }) => revenue !== '')
      expect(paid.length).toBeGreaterThan(50)
      for (const { revenue } of paid) expect(revenue).toMatch(/^-?\d+\.\d{4}$/)
    })

    test('revenue that was not summed is told by currency', async () => {
      const count = events.filter((event) => event.project === 'shop' && event.unconverted === 'GBP').length
      expect(await store.excluded(selection('shop'))).toEqual([{ currency: 'GBP', events: count }])
      expect(await store.excluded(selection('money'))).toEqual([])
    })

    test('totals for the audit stop at each partition’s fence', async () => {
      const [from, to] = [Date.UTC(2025, 9), Date.UTC(2025, 10)]
      const fences = [600, 0, 5000]
      const below = events.filter((e) => e.ts >= from && e.ts < to && e.offset < (fences[e.partition ?? 0] as number))
      const totals = await store.minuteTotals(1, from, to, fences)
      expect(totals.reduce((sum, { events }) => sum + events, 0)).toBe(below.length)
      expect(totals.reduce((sum, { revenue }) => sum + revenue, 0n)).toBe(measure(below, 'revenue'))
      for (const { project, minute, events: count } of totals) {
        const own = below.filter((e) => e.project === project && Math.floor(e.ts / MINUTE_MS) * MINUTE_MS === minute)
        expect(count).toBe(own.length)
      }
    })

    test('refused events are kept per project for seven days, newest first', async () => {
      const rejection = (project: string, receivedAt: number) => ({
        ...{ project, receivedAt, code: 'invalid_revenue', message: `it's "bad"`, index: 4, event: '{"name":1}' },
      })
      const now = Date.now()
      const old = [rejection('shop', now - 7 * 86_400_000 - 1000), rejection('shop', now - 9 * 86_400_000)]
      await store.insertRejected(old)
      await store.insertRejected([rejection('shop', now - 5000), rejection('blog', now), rejection('shop', now)])
      expect(await store.rejected('shop', 10)).toEqual([rejection('shop', now), rejection('shop', now - 5000)])
    })

    test('a question that is called off ends with its signal’s reason', async () => {
      const request = {
        ...selection('shop'),
        measures: ['events' as const],
        timezone: 'UTC',
        signal: AbortSignal.abort(),
      }
      await expect(store.aggregate(request)).rejects.toMatchObject({ name: 'AbortError' })
    })

    if (exceptions.funnels === undefined) funnelConformance(() => store)
    else excepted.add('funnels')

    run('its exceptions are promises of this suite', () => {
      expect([...excepted].sort()).toEqual(Object.keys(exceptions).sort())
    })
  })
}
