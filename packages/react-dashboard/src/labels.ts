import type { Metric, TileName } from '@nowcast/protocol'
import type { ConnectionState } from './client/create-connection.ts'
import type { NowcastErrorCode } from './client/nowcast-error.ts'

/** Every word the components show. */
export interface Labels {
  metrics: Record<Metric, string>
  /** What a value of the metric counts, in a sentence after the number; empty where the number says it. */
  counted: Record<Metric, string>
  /** Dimension → its name; a dimension without one is shown as it is. */
  dimensions: Record<string, string>
  /** Value of a dimension → its name; a value without one is shown as it is. */
  values: Record<string, string>
  tiles: Record<TileName, string>
  /** What a tile's change is measured against. */
  tilePrevious: Record<TileName, string>
  connection: Record<ConnectionState['status'], string>
  /** Range → its name on a button. */
  ranges: Record<string, string>
  /** Code of an error → what the viewer can do about it. */
  advice: Partial<Record<NowcastErrorCode, string>>
  words: Words
}

/** Single words and short sentences. */
export interface Words {
  up: string
  down: string
  noChange: string
  percentagePoints: string
  previousRange: string
  last: string
  unusual: string
  unusuallyHigh: string
  unusuallyLow: string
  expected: string
  /** In the legend, where it stands alone. */
  expectedRange: string
  partial: string
  excluded: string
  empty: string
  emptyHint: string
  /** `{ago}` is how long ago. */
  lastUpdate: string
  time: string
  total: string
  showTable: string
  showMore: string
  zoom: string
  resetZoom: string
  compare: string
  compareNone: string
  dayBefore: string
  weekBefore: string
  users: string
  steps: string
  ofFirst: string
  ofPrevious: string
  recentEvents: string
  pause: string
  resume: string
  /** `{count}` is how many. */
  newEvents: string
  unreachable: string
  failed: string
  filter: string
  clearFilters: string
  search: string
  noValues: string
  metric: string
  range: string
  dashboard: string
}

/** Other words for some of the labels. */
export type LabelOverrides = { [Group in keyof Labels]?: Partial<Labels[Group]> }

/** The English labels. */
export const LABELS: Labels = {
  metrics: {
    events: 'Events',
    page_views: 'Page views',
    clicks: 'Clicks',
    purchases: 'Purchases',
    errors: 'Errors',
    revenue: 'Revenue',
    active_users: 'Active users',
    users: 'Users',
    sessions: 'Sessions',
    events_per_second: 'Events per second',
    error_rate: 'Error rate',
    conversion_rate: 'Conversion rate',
    average_order_value: 'Average order value',
  },
  counted: {
    events: 'events',
    page_views: 'page views',
    clicks: 'clicks',
    purchases: 'purchases',
    errors: 'errors',
    revenue: '',
    active_users: 'active users',
    users: 'users',
    sessions: 'sessions',
    events_per_second: 'events per second',
    error_rate: '',
    conversion_rate: '',
    average_order_value: '',
  },
  dimensions: {
    country: 'Country',
    device: 'Device',
    category: 'Category',
    name: 'Event',
    browser: 'Browser',
    os: 'Operating system',
    path: 'Page',
    referrer_host: 'Referrer',
    utm_source: 'UTM source',
    utm_medium: 'UTM medium',
    utm_campaign: 'UTM campaign',
  },
  values: {
    '(none)': 'Not set',
    '(other)': 'All others',
    desktop: 'Desktop',
    mobile: 'Mobile',
    tablet: 'Tablet',
    tv: 'TV',
    server: 'Server',
    bot: 'Bot',
    other: 'Other',
  },
  tiles: {
    activeUsers: 'Active users',
    eventsPerSecond: 'Events per second',
    revenueLastHour: 'Revenue, last hour',
    pageViewsLastHour: 'Page views, last hour',
    errorRateLastHour: 'Error rate, last hour',
    conversionRateLastHour: 'Conversion, last hour',
  },
  tilePrevious: {
    activeUsers: 'vs 5 min ago',
    eventsPerSecond: 'vs 10 s ago',
    revenueLastHour: 'vs 1 h ago',
    pageViewsLastHour: 'vs 1 h ago',
    errorRateLastHour: 'vs 1 h ago',
    conversionRateLastHour: 'vs 1 h ago',
  },
  connection: {
    connecting: 'Connecting',
    live: 'Live',
    reconnecting: 'Reconnecting',
    offline: 'Offline',
    refused: 'No access',
  },
  ranges: { '1h': '1 hour', '24h': '24 hours', '7d': '7 days', '30d': '30 days' },
  advice: {
    missing_token: 'Sign in again, or reload the page.',
    invalid_token: 'Sign in again, or reload the page.',
    expired_token: 'Sign in again, or reload the page.',
    token_unavailable: 'The page could not get access. It tries again by itself.',
    metric_not_allowed: 'Your access does not include this figure.',
    archive_unavailable: 'History is not available at the moment. It is asked for again by itself.',
    query_timeout: 'That took too long. Choose a shorter period or fewer filters.',
    rate_limited: 'Too many requests. It is asked for again by itself.',
    stopping: 'The server is restarting. It is asked for again by itself.',
  },
  words: {
    up: 'up',
    down: 'down',
    noChange: 'no change',
    percentagePoints: 'pp',
    previousRange: 'vs the period before',
    last: 'last',
    unusual: 'Unusual',
    unusuallyHigh: 'Unusually high',
    unusuallyLow: 'Unusually low',
    expected: 'expected',
    expectedRange: 'Expected',
    partial: 'so far',
    excluded: 'not included, no exchange rate',
    empty: 'No events in this period yet',
    emptyHint: 'Send one like this:',
    lastUpdate: 'Last update {ago}',
    time: 'Time',
    total: 'Total',
    showTable: 'Table',
    showMore: 'Show more',
    zoom: 'Drag over the chart to zoom in; or press + and − while it has the focus.',
    resetZoom: 'Reset zoom',
    compare: 'Compare with',
    compareNone: 'No comparison',
    dayBefore: 'Day before',
    weekBefore: 'Week before',
    users: 'users',
    steps: 'Steps',
    ofFirst: 'of the first step',
    ofPrevious: 'of the step before',
    recentEvents: 'Recent events',
    pause: 'Pause',
    resume: 'Resume',
    newEvents: '{count} new',
    unreachable: 'The server cannot be reached. Trying again…',
    failed: 'This part could not be shown.',
    filter: 'Filter',
    clearFilters: 'Clear all',
    search: 'Search',
    noValues: 'No values',
    metric: 'Metric',
    range: 'Period',
    dashboard: 'Dashboard',
  },
}

/** The English labels with some replaced. */
export function mergeLabels(overrides: LabelOverrides = {}): Labels {
  const merged = { ...LABELS }
  for (const group of Object.keys(overrides) as (keyof Labels)[]) {
    Object.assign(merged, { [group]: { ...LABELS[group], ...overrides[group] } })
  }
  return merged
}
