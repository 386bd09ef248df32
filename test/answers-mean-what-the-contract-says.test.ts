import {
  type BreakdownAnswer,
  type Filters,
  type Granularity,
  METRICS,
  type Metric,
  type OverviewAnswer,
  type SeriesAnswer,
  type TotalAnswer,
} from '@nowcast/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Case, checkBreakdown, checkSeries, checkTotal, cut, figure } from './reference/check-answer.ts'
import { KNOWN_SHOP, knownEvents, PATHS, type SentEvent, sequence } from './reference/known-events.ts'
import { type KnownEvent, metricOf, selected } from './reference/metric-of.ts'
import { bucketsOf, type Stretch } from './reference/zone-buckets.ts'
import { knownProject, readTokenOf } from './servers/known-projects.ts'
import { ask, postQuery, sendEvents } from './servers/requests.ts'
import { startServer, type TestServer } from './servers/start-server.ts'
import { until } from './servers/until.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const SHOP = knownProject('shop', KNOWN_SHOP)
const SHORT = knownProject('short', {})

const FILTERS: Filters[] = [
  {},
  { country: ['US', 'DE'] },
  { device: ['mobile'], category: ['shoes', '(none)'] },
  { name: ['purchase'] },
  { tenantId: ['acme'] },
  { tenantId: ['(none)'], plan: ['pro', 'true'], country: ['US', 'FR', '(none)'] },
  { 'properties.color': ['red'], path: ['/cart', '/'] },
]

let server: TestServer
let sent: SentEvent[]
let known: KnownEvent[]
/** Start of the minute in which the events were sent. */
let base: number
const token = readTokenOf(SHOP)

beforeAll(async () => {
  server = await startServer({ config: { projects: [SHOP, SHORT] } })
  base = Math.floor(Date.now() / MINUTE) * MINUTE
  const random = sequence(7)
  const times = [
    ...Array.from({ length: 500 }, () => base - Math.floor(random() * 3 * HOUR)),
    ...Array.from({ length: 500 }, () => base - 23 * HOUR - Math.floor(random() * 3 * HOUR)),
    ...Array.from({ length: 300 }, () => base - Math.floor(random() * 90 * HOUR)),
    ...Array.from({ length: 100 }, () => Date.UTC(2025, 9, 25) + Math.floor(random() * 72 * HOUR)),
    // On the first and before the last millisecond of minutes.
    ...[0, 1, 10, 60, 1440, 1441].flatMap((ago) => [base - ago * MINUTE, base - ago * MINUTE - 1]),
  ]
  sent = knownEvents(times)
  known = sent.map((one) => one.known)
  await sendEvents(
    server.url,
    SHOP.secretKey,
    sent.map(({ event }) => event),
  )
  await archived()
})
afterAll(() => server?.remove())

/** Resolves when everything sent is in the archive: the hot store knows no paths. */
async function archived(): Promise<void> {
  const query = { kind: 'total', bots: true, range: { from: 0, to: base + HOUR }, filters: { path: PATHS } }
  await until(known.length, async () => (await ask<TotalAnswer>(server.url, token, query)).v)
}

/** Asks a few at a time; returns the cases that were answered wrongly. */
async function wrongAnswers(
  cases: readonly Case[],
  check: (known: readonly KnownEvent[], answer: never, asked: Case) => unknown,
): Promise<unknown[]> {
  const wrong: unknown[] = []
  const left = [...cases]
  const worker = async () => {
    for (let asked = left.shift(); asked; asked = left.shift()) {
      const answer = await ask(server.url, token, { ...asked.query, range: asked.range })
      const problem = check(known, answer as never, asked)
      if (problem !== undefined) wrong.push({ asked: JSON.stringify(asked), problem })
    }
  }
  await Promise.all([worker(), worker(), worker(), worker()])
  return wrong.slice(0, 5)
}

/** One case of `n`, from `first` on: with lists of other lengths inside, every pair comes up. */
function every<T>(n: number, first: number, cases: readonly T[]): T[] {
  return cases.filter((_, i) => i % n === first)
}

function seriesCases(): Case[] {
  const stretches: { range: Stretch; granularity: Granularity; timezone?: string }[] = [
    { granularity: 'minute', range: { from: base - 90 * MINUTE, to: base + MINUTE } },
    // Over the edge of what the hot store keeps.
    { granularity: 'minute', range: { from: base - 25 * HOUR, to: base - 23 * HOUR } },
    {
      granularity: 'hour',
      timezone: 'Asia/Kolkata',
      range: { from: base - 50 * HOUR - 7 * MINUTE, to: base + MINUTE },
    },
    { granularity: 'hour', range: { from: Date.UTC(2025, 9, 25, 22), to: Date.UTC(2025, 9, 26, 4) } },
    { granularity: 'day', range: { from: base - 80 * HOUR, to: base + MINUTE } },
    { granularity: 'day', timezone: 'Asia/Kolkata', range: { from: base - 80 * HOUR, to: base - 3 * MINUTE } },
    // The day of 25 hours.
    { granularity: 'day', range: { from: Date.UTC(2025, 9, 24, 22), to: Date.UTC(2025, 9, 27, 23) } },
  ]
  return stretches.flatMap(({ range, ...rest }) =>
    METRICS.filter((metric) => metric !== 'active_users' || rest.granularity === 'minute').flatMap((metric) =>
      [...FILTERS.map((filters) => ({ filters })), { filters: {}, bots: true }].map((selection) => ({
        query: { kind: 'series' as const, metric, ...rest, ...selection },
        range,
      })),
    ),
  )
}

function totalCases(): Case[] {
  const ranges = [
    { from: base - 2 * HOUR, to: base },
    { from: base - 26 * HOUR, to: base },
    { from: base - 3 * 24 * HOUR + 12_345, to: base - 23 * HOUR + 54_321 },
  ]
  return ranges.flatMap((range) =>
    METRICS.filter((metric) => metric !== 'active_users').flatMap((metric) =>
      [...FILTERS.map((filters) => ({ filters })), { filters: {}, bots: true }].map((selection) => ({
        query: { kind: 'total' as const, metric, ...selection },
        range,
      })),
    ),
  )
}

function breakdownCases(): Case[] {
  const dimensions = ['country', 'device', 'category', 'name', 'tenantId', 'plan', 'browser', 'path', 'utm_source']
  const metrics: Metric[] = ['events', 'revenue', 'users', 'error_rate', 'average_order_value', 'purchases']
  return [...dimensions, 'properties.color'].flatMap((breakdown) =>
    metrics
      // A rate by name is a rate of events with one name.
      .filter((metric) => breakdown !== 'name' || !metric.includes('rate') || metric === 'events')
      .flatMap((metric) =>
        [{}, { limit: 2 }, { filters: { country: ['US', 'DE', 'FR'] }, limit: 2 }].map((selection) => ({
          query: { kind: 'breakdown' as const, metric, breakdown, ...selection },
          range: { from: base - 26 * HOUR, to: base },
        })),
      ),
  )
}

describe('every metric means the same from memory and from the archive', () => {
  it('series by minute, by hour in a zone of half hours, by day of 25 hours', async () => {
    expect(await wrongAnswers(every(3, 0, seriesCases()), checkSeries)).toEqual([])
  })
  it('totals, and those of the time before', async () => {
    expect(await wrongAnswers(every(3, 0, totalCases()), checkTotal)).toEqual([])
  })
  it('breakdowns, with all the rest as (other)', async () => {
    expect(await wrongAnswers(every(2, 0, breakdownCases()), checkBreakdown)).toEqual([])
  })
  it('a broken-down series has its ten largest keys and (other), which add up to the whole', async () => {
    const range = { from: base - 26 * HOUR, to: base }
    const query = { kind: 'series', metric: 'revenue', granularity: 'hour', breakdown: 'country', range } as const
    const { series } = await ask<SeriesAnswer>(server.url, token, query)
    const events = selected(known, 'revenue')
    const countries = [...new Set(events.map(({ dimensions }) => dimensions.country as string))]
    const ofCountry = (country: string) => events.filter(({ dimensions }) => dimensions.country === country)
    const ranked = countries.sort(
      (a, b) => metricOf('revenue', ofCountry(b), range).v - metricOf('revenue', ofCountry(a), range).v,
    )
    expect(series.map(({ key }) => key)).toEqual([...ranked.slice(0, 10), '(other)'])
    const rest = ranked.slice(10).flatMap(ofCountry)
    for (const { key, points } of series) {
      const own = key === '(other)' ? rest : ofCountry(key as string)
      const expected = bucketsOf('hour', SHOP.timezone, range).map((bucket) =>
        metricOf('revenue', own, cut(bucket, range)),
      )
      expect(points.map(figure), String(key)).toEqual(expected)
    }
  })
  it('the tiles of the overview', async () => {
    const { tiles, asOf } = await ask<OverviewAnswer>(server.url, token, { kind: 'overview' })
    const to = Math.floor(asOf / MINUTE) * MINUTE + MINUTE
    const hour = { from: to - HOUR, to }
    const hourBefore = { from: to - 2 * HOUR, to: to - HOUR }
    const of = (metric: Metric, range: Stretch) => metricOf(metric, selected(known, metric), range)
    const pairs = [
      ['revenueLastHour', 'revenue'],
      ['pageViewsLastHour', 'page_views'],
      ['errorRateLastHour', 'error_rate'],
      ['conversionRateLastHour', 'conversion_rate'],
    ] as const
    for (const [tile, metric] of pairs) {
      expect(figure(tiles[tile]), tile).toEqual(of(metric, hour))
      expect(tiles[tile].previous, `${tile} before`).toBe(of(metric, hourBefore).v)
      const minutes = bucketsOf('minute', 'UTC', hour)
      expect(tiles[tile].spark, `${tile} by minute`).toEqual(minutes.map((minute) => of(metric, minute).v))
    }
    expect(tiles.activeUsers).toMatchObject({ v: of('users', { from: to - 6 * MINUTE, to }).v, approximate: true })
    expect(tiles.revenueLastHour.currency).toBe('EUR')
  })
  it('the last 24 hours are 1,440 minutes and end with the running one', async () => {
    const { series, asOf } = await ask<SeriesAnswer>(server.url, token, { kind: 'series', range: { last: '24h' } })
    const points = series[0]?.points ?? []
    expect(points).toHaveLength(1440)
    expect(points.at(-1)).toMatchObject({ t: Math.floor(asOf / MINUTE) * MINUTE, partial: true })
    expect(points.slice(0, -2).some(({ partial }) => partial)).toBe(false)
    const total = await ask<TotalAnswer>(server.url, token, { kind: 'total', range: { last: '24h' } })
    const to = Math.floor(total.asOf / MINUTE) * MINUTE + MINUTE
    expect(total.v).toBe(metricOf('events', selected(known, 'events'), { from: to - 24 * HOUR, to }).v)
  })
})

describe('a token sees what it may', () => {
  const range = () => ({ from: base - 26 * HOUR, to: base })
  it('its filters are forced on every kind of query, beside those of the query', async () => {
    const acme = readTokenOf(SHOP, { filters: { tenantId: ['acme'] } })
    const own = selected(known, 'events', { tenantId: ['acme'] })
    const total = await ask<TotalAnswer>(server.url, acme, { kind: 'total', range: range() })
    expect(total.v).toBe(metricOf('events', own, range()).v)
    const other = { kind: 'total', range: range(), filters: { tenantId: ['globex'] } }
    expect((await ask<TotalAnswer>(server.url, acme, other)).v).toBe(0)
    const german = { kind: 'total', range: range(), filters: { country: ['DE'], tenantId: ['globex', 'acme'] } }
    const expected = metricOf('events', selected(own, 'events', { country: ['DE'] }), range()).v
    expect((await ask<TotalAnswer>(server.url, acme, german)).v).toBe(expected)
    const rows = await ask<BreakdownAnswer>(server.url, acme, {
      kind: 'breakdown',
      breakdown: 'tenantId',
      range: range(),
    })
    expect(rows.rows.map(({ key }) => key)).toEqual(['acme'])
    const recent = { kind: 'recent', range: range(), limit: 100 }
    const { events } = (await ask<{ kind: 'recent' } & never>(server.url, acme, recent)) as {
      events: { properties: object }[]
    }
    expect(events.length).toBeGreaterThan(0)
    expect(events.every(({ properties }) => 'tenantId' in properties && properties.tenantId === 'acme')).toBe(true)
  })
  it('a filter on name is forced on rates too', async () => {
    const clicks = readTokenOf(SHOP, { filters: { name: ['click', 'error'] } })
    const answer = await ask<TotalAnswer>(server.url, clicks, { kind: 'total', metric: 'error_rate', range: range() })
    expect(answer.v).toBe(metricOf('error_rate', selected(known, 'events', { name: ['click', 'error'] }), range()).v)
  })
  it('a metric it does not allow is refused, in the overview too', async () => {
    const counts = readTokenOf(SHOP, { metrics: ['events', 'users'] })
    expect((await postQuery(server.url, counts, { kind: 'total', metric: 'users' })).status).toBe(200)
    for (const query of [{ kind: 'total', metric: 'revenue' }, { kind: 'overview' }, { kind: 'recent' }]) {
      const { status, body } = await postQuery(server.url, counts, query)
      expect(status).toBe(403)
      expect(body.error?.code).toBe('metric_not_allowed')
    }
  })
})

describe('bounds', () => {
  it('5,000 buckets are answered, one more is refused', async () => {
    const series = { kind: 'series', metric: 'events', granularity: 'minute' }
    const most = { from: base - 5000 * MINUTE, to: base }
    const { series: found } = await ask<SeriesAnswer>(server.url, token, { ...series, range: most })
    expect(found[0]?.points).toHaveLength(5000)
    const over = { ...series, range: { from: base - 5001 * MINUTE, to: base } }
    const { status, body } = await postQuery(server.url, token, over)
    expect(status).toBe(400)
    expect(body.error).toMatchObject({ code: 'invalid_query', field: 'range' })
    expect((await postQuery(server.url, token, { ...series, range: { last: '9999999d' } })).status).toBe(400)
  })
  it('projects are apart', async () => {
    const answer = await ask<TotalAnswer>(server.url, readTokenOf(SHORT), { kind: 'total', range: { last: '7d' } })
    expect(answer.v).toBe(0)
  })
})

describe('after a kill and a restart', () => {
  beforeAll(async () => {
    await server.kill()
    await server.start()
    await archived()
  })
  it('series mean the same', async () => {
    expect(await wrongAnswers(every(3, 1, seriesCases()), checkSeries)).toEqual([])
  })
  it('totals mean the same', async () => {
    expect(await wrongAnswers(every(3, 1, totalCases()), checkTotal)).toEqual([])
  })
  it('breakdowns mean the same', async () => {
    expect(await wrongAnswers(every(2, 1, breakdownCases()), checkBreakdown)).toEqual([])
  })
  it('the audit finds no difference', async () => {
    const { code, stdout, stderr } = await server.run('audit')
    expect(`${stdout}${stderr}`).toContain('clean')
    expect(code).toBe(0)
  })
})
