import { type Filters, type FunnelAnswer, METRICS, type Query, type SeriesAnswer } from '@nowcast/protocol'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { checkRuns } from '../packages/server/src/ports/check-runs.conformance.ts'
import { anomalyOf } from './reference/anomalies-of.ts'
import { checkBreakdown, checkSeries, checkTotal, differs } from './reference/check-answer.ts'
import { funnelOf, stepsOf } from './reference/funnel-of.ts'
import { KNOWN_SHOP, knownEvents, PATHS, sequence } from './reference/known-events.ts'
import { type KnownEvent, metricOf, selected } from './reference/metric-of.ts'
import { bucketsOf } from './reference/zone-buckets.ts'
import { knownProject, readTokenOf } from './servers/known-projects.ts'
import { ask, sendEvents } from './servers/requests.ts'
import { startServer, type TestServer } from './servers/start-server.ts'
import { until } from './servers/until.ts'

/*
 * Questions that nobody thought of, against the events one by one: over the minute where memory ends and the archive
 * begins, in zones with half hours, on days when clocks are turned.
 */

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const SHOP = knownProject('shop', KNOWN_SHOP)
const token = readTokenOf(SHOP)
const ZONES = ['UTC', 'Europe/Berlin', 'Asia/Kolkata', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'America/St_Johns']
/** Clocks are turned in Berlin, and on Lord Howe Island by half an hour. */
const TURNS = [Date.UTC(2025, 9, 26, 1), Date.UTC(2026, 3, 4, 15)]

let server: TestServer
let known: KnownEvent[]
let base: number

beforeAll(async () => {
  server = await startServer({ config: { projects: [SHOP] } })
  base = Math.floor(Date.now() / MINUTE) * MINUTE
  const random = sequence(99)
  const spread = (count: number, from: number, ms: number) =>
    Array.from({ length: count }, () => from + Math.floor(random() * ms))
  const sent = knownEvents([
    ...spread(500, base - 3 * HOUR, 3 * HOUR),
    ...spread(500, base - 25 * HOUR, 2 * HOUR),
    ...spread(300, base - 96 * HOUR, 90 * HOUR),
    ...TURNS.flatMap((turn) => spread(150, turn - 12 * HOUR, 24 * HOUR)),
    // Many at one moment.
    ...new Array(60).fill(base - 30 * MINUTE),
  ])
  known = sent.map((one) => one.known)
  await sendEvents(
    server.url,
    SHOP.secretKey,
    sent.map(({ event }) => event),
  )
  const all = { kind: 'total', bots: true, range: { from: 0, to: base + HOUR }, filters: { path: PATHS } }
  await until(known.length, async () => ((await ask<{ v: number } & never>(server.url, token, all)) as { v: number }).v)
})
afterAll(() => server?.remove())

const anyFilters: fc.Arbitrary<Filters> = fc
  .record(
    {
      country: fc.subarray(['US', 'DE', 'FR', '(none)'], { minLength: 1 }),
      device: fc.subarray(['desktop', 'mobile', 'server'], { minLength: 1 }),
      category: fc.subarray(['shoes', '(none)', 'nothing'], { minLength: 1 }),
      name: fc.subarray(['purchase', 'page_view', 'renewal'], { minLength: 1 }),
      tenantId: fc.subarray(['acme', '(none)'], { minLength: 1 }),
      path: fc.subarray([...PATHS], { minLength: 1 }),
      'properties.color': fc.subarray(['red', '(none)'], { minLength: 1 }),
    },
    { requiredKeys: [] },
  )
  // Of many at once nothing is left.
  .map((filters) => Object.fromEntries(Object.entries(filters).slice(0, 2)))

const anyRange = (mostMs: number) =>
  fc
    .record({
      near: fc.constantFrom('now', 'seam', 'days', 'turn0', 'turn1'),
      offset: fc.integer({ min: -12 * 60, max: 12 * 60 }),
      rest: fc.constantFrom(0, 0, 17_000, 59_999),
      length: fc.integer({ min: 1, max: mostMs / MINUTE }),
      isCut: fc.boolean(),
    })
    .map(({ near, offset, rest, length, isCut }) => {
      const centres = {
        now: base - HOUR,
        seam: base - 24 * HOUR,
        days: base - 60 * HOUR,
        turn0: TURNS[0] as number,
        turn1: TURNS[1] as number,
      }
      const from = Math.floor((centres[near] + offset * MINUTE) / MINUTE) * MINUTE + (isCut ? rest : 0)
      return { from, to: from + length * MINUTE + (isCut ? 1234 : 0) }
    })

const selection = { filters: anyFilters, bots: fc.boolean(), timezone: fc.constantFrom(...ZONES) }
const metrics = METRICS.filter((metric) => metric !== 'active_users')
const options = { numRuns: checkRuns(100) }

it('series', async () => {
  const anyCase = fc.constantFrom('minute' as const, 'hour' as const, 'day' as const).chain((granularity) =>
    fc.record({
      range: anyRange({ minute: 20 * HOUR, hour: 80 * HOUR, day: 200 * HOUR }[granularity]),
      query: fc.record({
        ...{ kind: fc.constant('series' as const), granularity: fc.constant(granularity) },
        metric: fc.constantFrom(...(granularity === 'minute' ? METRICS : metrics)),
        ...selection,
      }),
    }),
  )
  await fc.assert(
    fc.asyncProperty(anyCase, async (asked) => {
      const answer = await ask<SeriesAnswer>(server.url, token, { ...asked.query, range: asked.range })
      expect(checkSeries(known, answer, asked)).toBeUndefined()
    }),
    options,
  )
})

it('totals', async () => {
  const anyQuery = fc.record({
    kind: fc.constant('total' as const),
    metric: fc.constantFrom(...metrics),
    ...selection,
  })
  await fc.assert(
    fc.asyncProperty(anyQuery, anyRange(90 * HOUR), async (query, range) => {
      expect(checkTotal(known, await ask(server.url, token, { ...query, range }), { query, range })).toBeUndefined()
    }),
    options,
  )
})

it('breakdowns', async () => {
  const anyQuery = fc.record({
    kind: fc.constant('breakdown' as const),
    metric: fc.constantFrom('events', 'revenue', 'users', 'purchases', 'sessions', 'average_order_value'),
    breakdown: fc.constantFrom(
      'country',
      'device',
      'category',
      'tenantId',
      'plan',
      'browser',
      'path',
      'properties.color',
    ),
    limit: fc.constantFrom(1, 2, 10),
    ...selection,
  })
  await fc.assert(
    fc.asyncProperty(anyQuery, anyRange(90 * HOUR), async (query, range) => {
      const answer = await ask<never>(server.url, token, { ...query, range })
      expect(checkBreakdown(known, answer, { query, range })).toBeUndefined()
    }),
    options,
  )
})

it('funnels', async () => {
  const anyStep = fc.record({
    name: fc.constantFrom('page_view', 'click', 'purchase', 'signup'),
    filters: fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: anyFilters }),
  })
  const anyQuery = fc.record({
    steps: fc.array(anyStep, { minLength: 1, maxLength: 4 }),
    window: fc.constantFrom('1m', '30m', '6h', '3d'),
    filters: anyFilters,
    bots: fc.boolean(),
  })
  const ms = { '1m': MINUTE, '30m': 30 * MINUTE, '6h': 6 * HOUR, '3d': 72 * HOUR }
  await fc.assert(
    fc.asyncProperty(anyQuery, anyRange(90 * HOUR), async (query, range) => {
      const answer = await ask<FunnelAnswer>(server.url, token, { kind: 'funnel', ...query, range })
      const inRange = selected(known, 'users', query.filters, query.bots).filter(
        ({ t }) => t >= range.from && t < range.to,
      )
      const users = funnelOf(inRange, query.steps, ms[query.window as keyof typeof ms])
      expect(answer).toMatchObject({ kind: 'funnel', metric: 'users', approximate: false, window: query.window })
      expect(differs(answer.steps, stepsOf(query.steps, users))).toBeUndefined()
    }),
    options,
  )
})

it('anomalies, and the band, of series by minute and by hour', async () => {
  const first = Math.min(...known.map(({ t }) => t))
  const anyQuery = fc.record({
    granularity: fc.constantFrom('minute' as const, 'hour' as const),
    metric: fc.constantFrom('events' as const, 'revenue' as const, 'error_rate' as const),
    sigma: fc.constantFrom(2, 1, 3.5),
    filters: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: anyFilters }),
    breakdown: fc.constantFrom(undefined, undefined, 'device'),
  })
  let found = 0
  await fc.assert(
    fc.asyncProperty(anyQuery, anyRange(6 * HOUR), async ({ sigma, ...query }, range) => {
      const asked: Query = { kind: 'series', ...query, range, timezone: 'UTC', anomalies: { sigma } }
      const { series, asOf } = await ask<SeriesAnswer>(server.url, token, asked)
      const size = query.granularity === 'minute' ? MINUTE : HOUR
      for (const { key, points } of series) {
        if (key === '(other)') continue
        const events = selected(known, query.metric, query.filters).filter(
          ({ dimensions }) => key === null || dimensions.device === key,
        )
        const inRange = events.filter(({ t }) => t < range.to)
        for (const { t, v, anomaly, partial } of points) {
          const cut = { from: Math.max(t, range.from), to: t + size }
          expect(v).toBe(metricOf(query.metric, inRange, cut).v)
          const earlier = bucketsOf(query.granularity, 'UTC', { from: t - 60 * size, to: t })
          const values = earlier
            .filter(({ to }) => to > first && to + 5000 <= asOf)
            .map(({ from, to }) => {
              // The range cuts its first bucket; those before it are whole.
              const isCut = from < range.from && to > range.from
              return metricOf(query.metric, inRange, { from: isCut ? range.from : from, to }).v
            })
          const expected = partial ? undefined : anomalyOf(v, values, sigma)
          if (expected) found++
          expect(differs(anomaly, expected), `${new Date(t).toISOString()} ${values}`).toBeUndefined()
        }
      }
    }),
    { numRuns: checkRuns(30) },
  )
  expect(found).toBeGreaterThan(0)
})
