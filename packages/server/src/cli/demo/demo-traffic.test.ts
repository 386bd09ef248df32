import type { EventInput } from '@nowcast/protocol'
import { beforeAll, describe, expect, it } from 'vitest'
import { createDemoTraffic } from './demo-traffic.ts'
import { growthOf } from './traffic-growth.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const FROM = Date.UTC(2025, 5, 10)

const at = (event: EventInput) => event.timestamp as number
const isBot = (event: EventInput) => event.anonymousId!.startsWith('bot-')

describe('a day of the demo', () => {
  let day: EventInput[]
  let elapsedMs: number

  beforeAll(() => {
    const startedAt = performance.now()
    day = createDemoTraffic({ seed: 1, eventsPerSecond: 4, incidents: [] }).eventsBetween(FROM, FROM + DAY_MS)
    elapsedMs = performance.now() - startedAt
  })

  const count = (name: string) => day.filter((event) => event.name === name).length
  const users = (name: string) => new Set(day.filter((event) => event.name === name).map((e) => e.anonymousId)).size

  it('has as many events as asked for, quickly made', () => {
    expect(day.length / 86_400).toBeGreaterThan(3.8)
    expect(day.length / 86_400).toBeLessThan(4.2)
    expect(day.length / elapsedMs).toBeGreaterThan(30)
  })

  it('has ids of its own, and times in order', () => {
    expect(new Set(day.map(({ id }) => id)).size).toBe(day.length)
    expect(day.every(({ id }) => id!.length <= 64)).toBe(true)
    expect(day.every((event, i) => i === 0 || at(day[i - 1]!) <= at(event))).toBe(true)
    const last = new Map<string, number>()
    const early = day.filter((event) => {
      const before = last.get(event.sessionId!) ?? 0
      last.set(event.sessionId!, at(event))
      return at(event) <= before
    })
    expect(early).toEqual([])
  })

  it('narrows down from page views to purchases', () => {
    const funnel = ['page_view', 'product_viewed', 'add_to_cart', 'checkout', 'purchase'].map(users)
    expect(funnel).toEqual([...funnel].sort((a, b) => b - a))
    expect(funnel[4]! / funnel[0]!).toBeGreaterThan(0.03)
    expect(funnel[4]! / funnel[0]!).toBeLessThan(0.15)
  })

  it('earns money, less some refunds', () => {
    const sum = day.reduce((cents, { revenue }) => cents + Math.round(Number(revenue ?? 0) * 100), 0)
    expect(sum).toBeGreaterThan(0)
    expect(day.some(({ revenue }) => String(revenue).startsWith('-'))).toBe(true)
    expect(day.every(({ revenue }) => revenue === undefined || /^-?\d+\.\d\d$/.test(String(revenue)))).toBe(true)
    expect(count('refund')).toBeLessThan(count('purchase') / 10)
  })

  it('comes from many countries, browsers and categories, and from some bots', () => {
    const distinct = (of: (event: EventInput) => unknown) => new Set(day.map(of).filter((value) => value)).size
    expect(distinct(({ context }) => context?.country)).toBeGreaterThanOrEqual(10)
    expect(distinct(({ context }) => context?.userAgent)).toBeGreaterThanOrEqual(10)
    expect(distinct(({ category }) => category)).toBe(12)
    expect(day.filter(isBot).length / day.length).toBeGreaterThan(0.03)
    expect(day.filter(isBot).length / day.length).toBeLessThan(0.1)
    expect(count('error') / day.length).toBeLessThan(0.02)
    expect(count('search')).toBeGreaterThan(0)
  })

  it('follows the hour where visitors live', () => {
    const hours = Array.from({ length: 24 }, () => 0)
    for (const event of day) if (event.context?.country === 'DE') hours[Math.floor((at(event) - FROM) / HOUR_MS)]!++
    expect(hours[18]!).toBeGreaterThan(hours[2]! * 4)
  })
})

describe('the same seed', () => {
  it('gives the same events, whole or in parts, in whatever order they are asked for', () => {
    const whole = createDemoTraffic({ seed: 7 }).eventsBetween(FROM, FROM + HOUR_MS)
    const traffic = createDemoTraffic({ seed: 7 })
    const steps: EventInput[] = []
    for (let step = 0; step < HOUR_MS; step += 70_001) {
      steps.push(...traffic.eventsBetween(FROM + step, Math.min(FROM + step + 70_001, FROM + HOUR_MS)))
    }
    expect(steps).toEqual(whole)
    expect(traffic.eventsBetween(FROM, FROM + HOUR_MS)).toEqual(whole)
  })

  it('gives others than another seed', () => {
    const idsOf = (seed: number) =>
      new Set(
        createDemoTraffic({ seed })
          .eventsBetween(FROM, FROM + 60_000)
          .map(({ id }) => id),
      )
    const other = idsOf(2)
    expect([...idsOf(1)].filter((id) => other.has(id))).toEqual([])
  })

  it('gives the same sessions at a lower rate, only fewer', () => {
    const all = new Set(
      createDemoTraffic({ seed: 3, eventsPerSecond: 20 })
        .eventsBetween(FROM, FROM + HOUR_MS)
        .map((e) => e.id),
    )
    const few = createDemoTraffic({ seed: 3, eventsPerSecond: 5 }).eventsBetween(FROM, FROM + HOUR_MS)
    expect(few.length).toBeGreaterThan(0)
    expect(few.every(({ id }) => all.has(id))).toBe(true)
  })
})

describe('incidents', () => {
  const span = { fromMs: FROM + HOUR_MS, toMs: FROM + HOUR_MS + 600_000 }
  const perMinute = (events: EventInput[], name?: string) =>
    events.filter((event) => name === undefined || event.name === name).length / 10
  const during = (incidents: Parameters<typeof createDemoTraffic>[0]['incidents']) =>
    createDemoTraffic({ seed: 1, eventsPerSecond: 20, incidents }).eventsBetween(span.fromMs, span.toMs)
  const quiet = during([])

  it('come several times a day, and are known beforehand', () => {
    const incidents = createDemoTraffic({ seed: 1 }).incidentsBetween(FROM, FROM + DAY_MS)
    expect(incidents.length).toBeGreaterThanOrEqual(6)
    expect(new Set(incidents.map(({ kind }) => kind)).size).toBe(3)
  })

  it('error_burst: many errors', () => {
    expect(perMinute(during([{ kind: 'error_burst', ...span }]), 'error')).toBeGreaterThan(
      perMinute(quiet, 'error') * 10,
    )
  })

  it('checkout_outage: no purchases', () => {
    expect(perMinute(quiet, 'purchase')).toBeGreaterThan(2)
    expect(perMinute(during([{ kind: 'checkout_outage', ...span }]), 'purchase')).toBe(0)
  })

  it('campaign: more visitors of one country', () => {
    const events = during([{ kind: 'campaign', ...span, country: 'SE', category: 'outdoor' }])
    const swedes = (list: EventInput[]) => list.filter(({ context }) => context?.country === 'SE').length
    expect(perMinute(events)).toBeGreaterThan(perMinute(quiet) * 1.4)
    expect(swedes(events)).toBeGreaterThan(swedes(quiet) * 5)
    expect(events.some(({ url }) => url?.includes('utm_campaign=outdoor-drop'))).toBe(true)
  })
})

describe('growthOf', () => {
  it.each([DAY_MS, 8 * HOUR_MS, 48 * HOUR_MS])(
    'fills %i ms with few events and ends at the live rate',
    (backfillMs) => {
      const rate = growthOf({ liveSinceMs: FROM, eventsPerSecond: 20, backfillMs, backfillEvents: 230_000 })
      let sum = 0
      for (let age = 0; age < backfillMs; age += 10_000) sum += rate(FROM - age) * 10
      expect(sum).toBeGreaterThan(220_000)
      expect(sum).toBeLessThan(240_000)
      expect(rate(FROM)).toBe(20)
      expect(rate(FROM - 1000)).toBeCloseTo(20, 1)
      expect(rate(FROM - backfillMs)).toBeGreaterThan(0)
    },
  )

  it('is the live rate where that is not too much', () => {
    const rate = growthOf({ liveSinceMs: FROM, eventsPerSecond: 20, backfillMs: HOUR_MS, backfillEvents: 230_000 })
    expect(rate(FROM - HOUR_MS)).toBe(20)
  })
})
