import type { BreakdownAnswer, Metric, Query, SeriesAnswer, TotalAnswer } from '@nowcast/protocol'
import { KNOWN_SHOP } from './known-events.ts'
import { excludedOf, type Figure, type KnownEvent, metricOf, selected } from './metric-of.ts'
import { bucketsOf, type Stretch } from './zone-buckets.ts'

const MONEY: readonly Metric[] = ['revenue', 'average_order_value']
const DISTINCT: readonly Metric[] = ['users', 'sessions', 'active_users', 'conversion_rate']

/** A query of {@link KNOWN_SHOP}'s events, and its range. */
export interface Case {
  query: Query & { metric: Metric }
  range: Stretch
}

/** Two values that should be equal, when they are not. */
export function differs(found: unknown, expected: unknown): object | undefined {
  return JSON.stringify(found) === JSON.stringify(expected) ? undefined : { found, expected }
}

/** A value and what is exact of it. */
export const figure = ({ v, exact }: Figure): Figure => (exact === undefined ? { v } : { v, exact })

/** What is wrong with a series; undefined when nothing is. */
export function checkSeries(known: readonly KnownEvent[], answer: SeriesAnswer, { query, range }: Case): unknown {
  const { metric, granularity = 'minute', timezone = KNOWN_SHOP.timezone, filters, bots } = query
  const events = selected(known, metric, filters, bots)
  const buckets = bucketsOf(granularity, timezone, range)
  const [series] = answer.series
  const times = differs(
    series?.points.map(({ t }) => t),
    buckets.map(({ from }) => from),
  )
  if (times || series?.key !== null) return times ?? { key: series?.key }
  for (const [i, bucket] of buckets.entries()) {
    const counted = metric === 'events_per_second' ? undefined : cut(bucket, range)
    const inRange = events.filter(({ t }) => metric === 'active_users' || (t >= range.from && t < range.to))
    const expected = metricOf(metric, inRange, counted === undefined || metric === 'active_users' ? bucket : counted)
    const problem = differs(figure(series.points[i] as Figure), expected)
    if (problem) return { at: new Date(bucket.from).toISOString(), ...problem }
  }
  return checkBase(answer, metric, events, range)
}

function checkBase(
  answer: SeriesAnswer | TotalAnswer | BreakdownAnswer,
  metric: Metric,
  events: KnownEvent[],
  range: Stretch,
) {
  const isMoney = MONEY.includes(metric)
  const excluded = isMoney ? excludedOf(events, range) : []
  return (
    differs(answer.metric, metric) ??
    differs(answer.approximate, DISTINCT.includes(metric)) ??
    differs(answer.currency, isMoney ? 'EUR' : undefined) ??
    differs(answer.excluded, excluded.length > 0 ? excluded : undefined)
  )
}

/** The part of a bucket that lies in a range. */
export function cut(bucket: Stretch, range: Stretch): Stretch {
  return { from: Math.max(bucket.from, range.from), to: Math.min(bucket.to, range.to) }
}

/** What is wrong with a total. */
export function checkTotal(known: readonly KnownEvent[], answer: TotalAnswer, { query, range }: Case): unknown {
  const { metric, filters, bots } = query
  const events = selected(known, metric, filters, bots)
  const before = { from: range.from - (range.to - range.from), to: range.from }
  return (
    differs(figure(answer), metricOf(metric, events, range)) ??
    differs(answer.previous && figure(answer.previous), metricOf(metric, events, before)) ??
    checkBase(answer, metric, events, range)
  )
}

/** What is wrong with a breakdown. */
export function checkBreakdown(known: readonly KnownEvent[], answer: BreakdownAnswer, { query, range }: Case): unknown {
  const { metric, filters, bots, breakdown = '', limit = 10 } = query
  const events = selected(known, metric, filters, bots)
  const inRange = events.filter(({ t }) => t >= range.from && t < range.to)
  const keys = [...new Set(inRange.map(({ dimensions }) => dimensions[breakdown] as string))]
  const of = (some: (key: string) => boolean) =>
    metricOf(
      metric,
      events.filter(({ dimensions }) => some(dimensions[breakdown] as string)),
      range,
    )
  const all = keys
    .map((key) => ({ key, ...of((other) => other === key) }))
    .sort((a, b) => b.v - a.v || (a.key < b.key ? -1 : 1))
  const shown = (list: { key: string; v: number; exact?: string; share?: number }[]) => list.filter(({ v }) => v !== 0)
  const expectedOf = (ranked: typeof all) => {
    const kept = ranked.slice(0, limit)
    const rest = new Set(ranked.slice(limit).map(({ key }) => key))
    const rows = rest.size > 0 ? [...kept, { key: '(other)', ...of((key) => rest.has(key)) }] : kept
    const sum = rows.reduce((total, { v }) => total + v, 0)
    return shown(rows).map(({ key, v, exact }) => ({ key, v, exact, share: sum === 0 ? 0 : v / sum }))
  }
  const found = shown(answer.rows).map(({ key, v, exact, share }) => ({ key, v, exact, share }))
  // Keys whose metric is 0 may be left out: then those below 0 move up.
  const difference = differs(found, expectedOf(all)) && differs(found, expectedOf(all.filter(({ v }) => v !== 0)))
  return difference ?? checkBase(answer, metric, events, range)
}
