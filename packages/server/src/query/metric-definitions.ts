import type { Metric } from '@nowcast/protocol'
import type { Measure } from '../ports/event-store.ts'
import { formatDecimal, UNITS } from '../record/decimal.ts'

/** A metric's value, with four exact places where it is money. */
export interface MetricValue {
  v: number
  exact?: string
}

export interface MetricDefinition {
  /** What is read, the one that ranks a breakdown first. */
  measures: Measure[]
  /** The value of a bucket of `bucketMs`, from the measures in their order. */
  value(measures: readonly bigint[], bucketMs: number): MetricValue
  /** A distinct count. */
  approximate?: true
  money?: true
  /** A rate over all events: a filter on `name` would make no sense of it. */
  ignoresName?: true
}

const count = (measure: Measure): MetricDefinition => ({ measures: [measure], value: ([n = 0n]) => ({ v: Number(n) }) })
const distinct = (measure: Measure): MetricDefinition => ({ ...count(measure), approximate: true })
const money = (units: bigint): MetricValue => ({ v: Number(units) / UNITS, exact: formatDecimal(units) })
const ratio = (part = 0n, whole = 0n): MetricValue => ({ v: whole === 0n ? 0 : Number(part) / Number(whole) })

/** What each metric means: the one place that says it. */
export const METRIC_DEFINITIONS: Record<Metric, MetricDefinition> = {
  events: count('events'),
  page_views: count('page_views'),
  clicks: count('clicks'),
  purchases: count('purchases'),
  errors: count('errors'),
  revenue: { measures: ['revenue'], value: ([units = 0n]) => money(units), money: true },
  active_users: distinct('active_users'),
  users: distinct('users'),
  sessions: distinct('sessions'),
  events_per_second: {
    measures: ['events'],
    value: ([n = 0n], bucketMs) => ({ v: bucketMs > 0 ? (Number(n) * 1000) / bucketMs : 0 }),
  },
  error_rate: { measures: ['events', 'errors'], value: ([n, errors]) => ratio(errors, n), ignoresName: true },
  conversion_rate: {
    measures: ['users', 'buyers'],
    value: ([users, buyers]) => ratio(buyers, users),
    approximate: true,
    ignoresName: true,
  },
  average_order_value: {
    measures: ['orders', 'order_revenue'],
    value: ([orders = 0n, units = 0n]) => money(orders === 0n ? 0n : divideRounded(units, orders)),
    money: true,
    ignoresName: true,
  },
}

/** Rounded half away from zero. */
function divideRounded(dividend: bigint, divisor: bigint): bigint {
  const half = dividend < 0n ? -divisor / 2n : divisor / 2n
  return (dividend + half) / divisor
}

/** Measures that cannot be added up over buckets. */
export const DISTINCT_MEASURES: ReadonlySet<Measure> = new Set<Measure>(['users', 'buyers', 'sessions', 'active_users'])
