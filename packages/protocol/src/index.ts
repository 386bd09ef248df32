export type { ErrorBody, ErrorCode } from './error.ts'
export { ERROR_STATUS } from './error.ts'
export type {
  ContextInput,
  Device,
  EventBatch,
  EventInput,
  EventRejectionCode,
  IngestAnswer,
  RejectedEvent,
  StandardEvent,
} from './event.ts'
export {
  DEVICES,
  EVENT_REJECTION_CODES,
  FIELD_LIMITS,
  LIMITS,
  NONE,
  OTHER,
  STANDARD_EVENTS,
} from './event.ts'
export type {
  ClientToServerEvents,
  LiveDelta,
  LiveError,
  LiveQuery,
  LiveSnapshot,
  ResumeAck,
  ServerToClientEvents,
  SubscribeAck,
} from './live.ts'
export { LIVE_LIMITS, LIVE_PATH } from './live.ts'
export type {
  Anomaly,
  AnomalyBaseline,
  AnomalyOptions,
  Answer,
  AnswerBase,
  BreakdownAnswer,
  BreakdownRow,
  Excluded,
  Filters,
  FunnelAnswer,
  FunnelStep,
  FunnelStepAnswer,
  Granularity,
  Metric,
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
} from './query.ts'
export {
  ANOMALY_BASELINES,
  ARCHIVE_DIMENSIONS,
  GRANULARITIES,
  HOT_DIMENSIONS,
  METRICS,
  QUERY_KINDS,
  QUERY_LIMITS,
} from './query.ts'
