import type { Filters, Metric } from '@nowcast/protocol'
import type { Stretch } from './zone-buckets.ts'

/** An event as the server must understand it. */
export interface KnownEvent {
  t: number
  name: string
  user: string
  session?: string
  /** Ten-thousandths in the project's currency; undefined without revenue, or when there is no rate. */
  units?: bigint
  /** Currency of a revenue that is not summed. */
  excluded?: string
  /** Values of all dimensions; `(none)` where it has none. */
  dimensions: Record<string, string>
}

export interface Figure {
  v: number
  exact?: string
}

const MINUTE = 60_000
const RATES: readonly Metric[] = ['error_rate', 'conversion_rate', 'average_order_value']

/** The events that a query's filters leave. */
export function selected(
  events: readonly KnownEvent[],
  metric: Metric,
  filters: Filters = {},
  bots = false,
): KnownEvent[] {
  const rules = Object.entries(filters).filter(([dimension]) => dimension !== 'name' || !RATES.includes(metric))
  return events.filter(
    ({ dimensions }) =>
      (bots || dimensions.device !== 'bot') &&
      rules.every(([dimension, values]) => values.includes(dimensions[dimension] as string)),
  )
}

/** A metric of these events between two moments, by its definition. */
export function metricOf(metric: Metric, events: readonly KnownEvent[], { from, to }: Stretch): Figure {
  const inside = events.filter(({ t }) => t >= from && t < to)
  const named = (name: string) => inside.filter((event) => event.name === name)
  const distinct = (some: readonly KnownEvent[]) => new Set(some.map(({ user }) => user)).size
  const ratio = (part: number, whole: number) => ({ v: whole === 0 ? 0 : part / whole })
  switch (metric) {
    case 'events':
      return { v: inside.length }
    case 'page_views':
      return { v: named('page_view').length }
    case 'clicks':
      return { v: named('click').length }
    case 'purchases':
      return { v: named('purchase').length }
    case 'errors':
      return { v: named('error').length }
    case 'revenue':
      return money(sum(inside))
    case 'users':
      return { v: distinct(inside) }
    case 'active_users':
      return { v: distinct(events.filter(({ t }) => t >= to - 5 * MINUTE && t < to)) }
    case 'sessions':
      return { v: new Set(inside.flatMap(({ session }) => session ?? [])).size }
    case 'events_per_second':
      return { v: (inside.length * 1000) / (to - from) }
    case 'error_rate':
      return ratio(named('error').length, inside.length)
    case 'conversion_rate':
      return ratio(distinct(named('purchase')), distinct(inside))
    case 'average_order_value': {
      // Neither refunds nor revenue that is not summed.
      const orders = named('purchase').filter(({ units, excluded }) => !excluded && (units ?? 0n) >= 0n)
      return money(orders.length === 0 ? 0n : rounded(sum(orders), BigInt(orders.length)))
    }
  }
}

/** Revenue that is not summed, the most frequent currency first. */
export function excludedOf(events: readonly KnownEvent[], { from, to }: Stretch) {
  const counts = new Map<string, number>()
  for (const { t, excluded } of events)
    if (excluded && t >= from && t < to) counts.set(excluded, (counts.get(excluded) ?? 0) + 1)
  return Array.from(counts, ([currency, events]) => ({ currency, events })).sort((a, b) => b.events - a.events)
}

function sum(events: readonly KnownEvent[]): bigint {
  return events.reduce((total, { units }) => total + (units ?? 0n), 0n)
}

/** Quotient of two numbers that are not negative, half up. */
function rounded(dividend: bigint, divisor: bigint): bigint {
  return (2n * dividend + divisor) / (2n * divisor)
}

function money(units: bigint): Figure {
  const digits = String(units < 0n ? -units : units).padStart(5, '0')
  return { v: Number(units) / 10_000, exact: `${units < 0n ? '-' : ''}${digits.slice(0, -4)}.${digits.slice(-4)}` }
}
