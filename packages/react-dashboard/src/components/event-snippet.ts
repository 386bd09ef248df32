import type { Metric } from '@nowcast/protocol'

const PURCHASE = "nowcast.track('purchase', { revenue: '19.99', currency: 'EUR' })"
const ERROR = "nowcast.track('error', { message: 'checkout failed' })"

const SNIPPETS: Partial<Record<Metric, string>> = {
  page_views: 'nowcast.page()',
  clicks: "nowcast.track('click', { button: 'sign-up' })",
  purchases: PURCHASE,
  revenue: PURCHASE,
  average_order_value: PURCHASE,
  conversion_rate: PURCHASE,
  errors: ERROR,
  error_rate: ERROR,
}

/** A line that sends an event which the metric counts. */
export function eventSnippet(metric: Metric): string {
  return SNIPPETS[metric] ?? "nowcast.track('signup', { plan: 'pro' })"
}
