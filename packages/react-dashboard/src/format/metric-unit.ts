import type { Metric } from '@nowcast/protocol'

/** How a metric's value is written. */
export type Unit = 'count' | 'rate' | 'money' | 'percent'

/** The unit of each metric. */
export const METRIC_UNIT: Record<Metric, Unit> = {
  events: 'count',
  page_views: 'count',
  clicks: 'count',
  purchases: 'count',
  errors: 'count',
  revenue: 'money',
  active_users: 'count',
  users: 'count',
  sessions: 'count',
  events_per_second: 'rate',
  error_rate: 'percent',
  conversion_rate: 'percent',
  average_order_value: 'money',
}

/** Metrics of which less is better. */
export const LESS_IS_BETTER: ReadonlySet<Metric> = new Set<Metric>(['errors', 'error_rate'])
