import type { Granularity } from '@nowcast/protocol'

/** Where the archive of one partition stands. */
export interface Frontier {
  partition: number
  /** Highest archived offset. */
  offset: number
  /** Received time of the event at it, epoch ms. */
  receivedAt: number
  /** Of offsets below this one, events may be missing because their month was deleted. */
  retiredTo: number
}

/** Offsets of one partition; `to` is exclusive. */
export interface OffsetRange {
  from: number
  to: number
}

/** A stretch of time, epoch ms; `to` is exclusive. */
export interface Stretch {
  from: number
  to: number
}

/** What is computed for each bucket and key. Counts leave bots out unless asked. */
export type Measure =
  | 'events'
  | 'page_views'
  | 'clicks'
  | 'purchases'
  | 'errors'
  /** Ten-thousandths, of all events. */
  | 'revenue'
  /** Purchases whose revenue is summed and that are no refunds. */
  | 'orders'
  /** Ten-thousandths, of those. */
  | 'order_revenue'
  | 'users'
  /** Users of `purchase` events. */
  | 'buyers'
  | 'sessions'
  /** Distinct users in the trailing five minutes, for minute buckets. */
  | 'active_users'

/** Stored name of a hot dimension; a project's own ones are `hot1` and `hot2`. */
export type CellDimension = 'name' | 'country' | 'device' | 'category' | 'hot1' | 'hot2'
/** Stored name of a dimension of raw events; `properties.<key>` reads a top-level property. */
export type RawDimension =
  | 'browser'
  | 'os'
  | 'path'
  | 'referrer_host'
  | 'utm_source'
  | 'utm_medium'
  | 'utm_campaign'
  | `properties.${string}`
export type Dimension = CellDimension | RawDimension

export interface DimensionFilter {
  dimension: Dimension
  /** Alternatives; never empty. */
  values: string[]
}

/** Events a question is about. */
export interface Selection {
  project: string
  /** Inclusive, epoch ms. */
  from: number
  /** Exclusive, epoch ms. */
  to: number
  /** All must hold. */
  filters: DimensionFilter[]
  bots: boolean
}

export interface AggregateRequest extends Selection {
  measures: Measure[]
  /** Buckets by time; undefined for one bucket over everything. */
  granularity?: Granularity
  /** IANA zone of hour and day buckets. */
  timezone: string
  breakdown?: Dimension
  /** Values of the breakdown to keep apart; all others become `(other)`. */
  keys?: string[]
  /** Most keys to answer, largest first by the first measure. With a granularity: all keys. */
  limit?: number
  /**
   * With a limit and one distinct measure, without a granularity: the keys beyond the limit answer together as `(other)`,
   * which takes no place among the largest. Distinct counts cannot be added up afterwards.
   */
  others?: boolean
  signal?: AbortSignal
}

export interface AggregateRow {
  /** Start of the bucket, epoch ms; `from` without a granularity. */
  t: number
  /** The breakdown's value; null without one. */
  key: string | null
  /** In the order of the request's measures. Revenue is exact in ten-thousandths. */
  values: bigint[]
}

/** Users who did steps one after the other. */
export interface FunnelRequest extends Selection {
  /** At least one. A step's events are those with its name for which its filters hold too. */
  steps: { name: string; filters: DimensionFilter[] }[]
  /** The longest time from the first step to the last, ms. */
  windowMs: number
  /** By the value of the event that was the user's first step. */
  breakdown?: Dimension
  signal?: AbortSignal
}

export interface FunnelRow {
  /** The breakdown's value; null for all users together. */
  key: string | null
  /** Users who came to each step. */
  users: number[]
}

export interface StoredEvent {
  id: string
  name: string
  t: number
  country: string
  device: string
  category: string
  userId: string
  anonymousId: string
  url: string
  title: string
  /** Decimal with four places; '' without. */
  revenue: string
  currency: string
  properties: Record<string, unknown>
}

/** An event that ingestion refused. */
export interface StoredRejection {
  project: string
  receivedAt: number
  code: string
  message: string
  /** Place in its batch. */
  index: number
  /** The event as JSON, as far as it was kept. */
  event: string
}

/** Count and exact revenue of one project's minute, for the audit. */
export interface MinuteTotals {
  project: string
  minute: number
  events: number
  /** Ten-thousandths. */
  revenue: bigint
}

/** How events are written into a file. */
export const EXPORT_FORMATS = ['ndjson', 'csv', 'parquet'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** What was done for a user who is forgotten. */
export interface UserDeletion {
  /** Rows that named them. */
  rows: number
  /** Other ids in those rows, up to 100: rows that carry only those still name them. */
  alsoKnownAs: string[]
}

/** Up to where months are old. */
export interface Retirement {
  /** Months that end by the month of this time, epoch ms, keep their hours instead of their events. */
  eventsFrom: number
  /** Months that end by the month of this time, epoch ms, keep nothing; for ever when unset. */
  rollupsFrom?: number | undefined
  signal?: AbortSignal | undefined
}

/** What one pass did; months as `202601`. */
export interface RetiredMonths {
  /** Their events are to be refused from now on. */
  announced: number[]
  /** Answered from their hours from now on. */
  rolledUp: number[]
  /** Their events are gone. */
  dropped: number[]
  /** Their hours are gone too. */
  forgotten: number[]
  /** Events that came although their month was rolled up: they stay, and are not counted. */
  strayed: { month: number; events: number }[]
}

/** A month whose hours the store keeps in place of its events. */
export interface RolledUpMonth extends Stretch {
  /** Events that it had, and those that its hours hold; none once the hours were deleted for their age. */
  events: number
  held: number
}

/** Raw events and their rollups for good: ClickHouse. */
export interface EventStore {
  /** Connects, starts the embedded engine where there is one, and brings the tables to this version. */
  start(): Promise<void>
  stop(): Promise<void>
  ping(): Promise<void>
  /** Highest archived offset of each partition that has one. Makes the tables if they are not there. */
  frontiers(epoch: number): Promise<Frontier[]>
  /** Whether rows of another log epoch are archived. */
  hasOtherEpochs(epoch: number): Promise<boolean>
  /** Which offsets of `[from, to)` are archived: stretches without a gap, ascending. */
  archivedRanges(epoch: number, partition: number, from: number, to: number): Promise<OffsetRange[]>
  /**
   * Writes rows: JSON objects with line breaks between them, each with `log_epoch`, `log_partition`, `log_offset`, and
   * `insert_before` (epoch ms by the store's clock) where they must not be written later than that.
   * @param options.timeoutMs how long it may take; nothing is written any more after that
   * @throws NowcastError `archive_unavailable`: the outcome is unknown, so read what is archived before going on.
   */
  insert(rows: Uint8Array, options?: { timeoutMs?: number }): Promise<void>
  /** The store's clock, epoch ms. */
  now(): Promise<number>
  /** @throws NowcastError `query_timeout`, `query_too_large`, `archive_unavailable` */
  aggregate(request: AggregateRequest): Promise<AggregateRow[]>
  /**
   * Replaces the events of old months by their hours: in one pass a month is announced, in a later one it is rolled up, in
   * a later one its events go. Whatever was taken before the call must be inserted. Can be repeated after any
   * interruption, and done by several at once.
   * @throws NowcastError `archive_unavailable`
   */
  retireMonths(retirement: Retirement): Promise<RetiredMonths>
  /** Start of the first month whose events may still be taken, epoch ms; 0 when all may. */
  keptFrom(): Promise<number>
  /**
   * Months that are answered from their hours, oldest first: of them `aggregate` knows no minutes and counts an hour where
   * it begins; what needs events finds none, now or soon.
   */
  rolledUp(): Promise<Stretch[]>
  /** The same months with their totals, for the audit. */
  rolledUpTotals(): Promise<RolledUpMonth[]>
  /** Another text whenever the events of `[from, to)` may have changed; undefined when that cannot be told. */
  revision(from: number, to: number): Promise<string | undefined>
  /**
   * The row of all users, then one for each value of the breakdown, largest first. A user counts once, as far as they
   * came; of equal attempts the latest counts. Each step is later than the one before, or later in the log.
   */
  funnel(request: FunnelRequest): Promise<FunnelRow[]>
  /** Events whose revenue was not summed, by currency. */
  excluded(selection: Selection, signal?: AbortSignal): Promise<{ currency: string; events: number }[]>
  /** Newest events first. */
  recent(selection: Selection, limit: number, signal?: AbortSignal): Promise<StoredEvent[]>
  /** Start of the earliest minute that has an event of the project; undefined without one. */
  firstEventAt(project: string): Promise<number | undefined>
  /** Totals a minute over `[from, to)` of the rows whose offset lies below their partition's fence. */
  minuteTotals(epoch: number, from: number, to: number, fences: readonly number[]): Promise<MinuteTotals[]>
  /** Rows, distinct (epoch, partition, offset), and rows counted through the rollups, over `[from, to)`. */
  integrity(from: number, to: number): Promise<{ rows: number; distinct: number; rolledUp: number }>
  /** Rows of a log epoch and partition in `[from, to)`, for the audit against the log. */
  countOffsets(epoch: number, partition: number, from: number, to: number): Promise<number>
  /** Keeps refused events for seven days. */
  insertRejected(rejections: readonly StoredRejection[]): Promise<void>
  /**
   * Wipes ids, addresses, title, referrer and properties of the rows whose user or anonymous id this is, and gives them
   * another user; counts stay. Rows that are written while it runs are not looked at.
   * @throws NowcastError `buffer_full` while another user is being deleted
   */
  deleteUser(project: string, id: string, onProgress?: (partsLeft: number) => void): Promise<UserDeletion>
  /** How many events a selection has, and all of them, oldest first, read as they are asked for. */
  exportEvents(
    selection: Selection,
    format: ExportFormat,
    signal?: AbortSignal,
  ): Promise<{ events: number; bytes: AsyncIterable<Uint8Array> }>
  /** Refused events of a project, newest first. */
  rejected(project: string, limit: number, signal?: AbortSignal): Promise<StoredRejection[]>
}
