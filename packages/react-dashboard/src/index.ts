export type {
  Anomaly,
  AnomalyBaseline,
  AnomalyOptions,
  Answer,
  AnswerBase,
  BreakdownAnswer,
  BreakdownRow,
  ErrorCode,
  Excluded,
  Filters,
  FunnelAnswer,
  FunnelStep,
  FunnelStepAnswer,
  Granularity,
  LiveQuery,
  Metric as MetricName,
  OverviewAnswer,
  Point,
  Query,
  QueryKind,
  Range,
  RecentAnswer,
  RecentEvent,
  Series,
  SeriesAnswer,
  Tile,
  TileName,
  TotalAnswer,
} from '@nowcast/protocol'
export type { Compare } from './chart/compared-series.ts'
export type { ZoomRange } from './chart/zoom-range.ts'
export type { ConnectionState } from './client/create-connection.ts'
export type { TokenInput } from './client/create-token-source.ts'
export { NowcastError, type NowcastErrorCode } from './client/nowcast-error.ts'
export type { AnswerOf, ViewState } from './client/view.ts'
export { ActiveUsers } from './components/active-users.tsx'
export { Breakdown, type BreakdownProps } from './components/breakdown.tsx'
export { ConnectionStatus } from './components/connection-status.tsx'
export { Dashboard, type DashboardProps, type DashboardView } from './components/dashboard.tsx'
export { ErrorRate } from './components/error-rate.tsx'
export { EventRate } from './components/event-rate.tsx'
export type { Figure, RenderFigure } from './components/figure-value.tsx'
export { FilterBar, type FilterBarProps } from './components/filter-bar.tsx'
export { Funnel, type FunnelProps } from './components/funnel.tsx'
export { Metric, type MetricProps } from './components/metric.tsx'
export type { OverviewTileProps } from './components/overview-tile.tsx'
export { RecentEvents, type RecentEventsProps } from './components/recent-events.tsx'
export { Revenue } from './components/revenue.tsx'
export { TimeSeries, type TimeSeriesProps } from './components/time-series.tsx'
export type { Theme } from './hooks/nowcast-context.ts'
export { NowcastProvider, type NowcastProviderProps } from './hooks/nowcast-provider.tsx'
export { useConnection } from './hooks/use-connection.ts'
export type { AskOptions } from './hooks/use-filtered-key.ts'
export { type FiltersState, useFilters } from './hooks/use-filters.ts'
export { useLive } from './hooks/use-live.ts'
export { type UseQueryOptions, useQuery } from './hooks/use-query.ts'
export { LABELS, type LabelOverrides, type Labels, type Words } from './labels.ts'
