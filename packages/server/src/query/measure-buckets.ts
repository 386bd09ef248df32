import type { Granularity } from '@nowcast/protocol'
import type { Dimension, DimensionFilter, Measure } from '../ports/event-store.ts'
import type { HotView } from '../ports/hot-store.ts'
import { MINUTE_MS, type ProjectWindows } from '../window/window-cube.ts'
import type { ArchiveRows } from './archive-rows.ts'
import type { Bucket } from './buckets.ts'
import type { SketchKind } from './group-sketches.ts'
import { DISTINCT_MEASURES } from './metric-definitions.ts'
import type { MinuteResults } from './minute-results.ts'
import { GroupSums } from './minute-sums.ts'
import { type SplitRange, splitRange } from './split-range.ts'

const DAY_MS = 24 * 3_600_000
/** Minutes before a minute whose users are active at it. */
const ACTIVE_BEFORE = 4

export interface BucketsRequest {
  project: string
  filters: DimensionFilter[]
  bots: boolean
  measures: Measure[]
  /** Exact ends of what counts; buckets may reach beyond. */
  range: Bucket
  buckets: Bucket[]
  /** Undefined for one bucket over the whole range. */
  granularity?: Granularity
  timezone: string
  breakdown?: Dimension
  /** Keys of the breakdown to keep apart. */
  keys?: string[]
  now: number
  /** First minute that may be read from the hot store; {@link hotStart} by default. */
  hotFrom?: number
  /** Names what is read from the archive, so that what a watched question reads for one part is not another's. */
  slot: string
  signal?: AbortSignal
}

export interface BucketsSources {
  view: HotView
  archive: ArchiveRows
  /** Of the same question; undefined when only the archive can answer it. */
  minutes: MinuteResults | undefined
}

/** Values of each key (`''` without a breakdown): by bucket, then by measure. */
export type MeasuredBuckets = Map<string, bigint[][]>

/** Which sketches a distinct count is made from. */
const SKETCHES: Record<'users' | 'active_users' | 'buyers' | 'sessions', SketchKind> = {
  users: 'users',
  active_users: 'users',
  buyers: 'buyers',
  sessions: 'sessions',
}

const sums = new GroupSums()

/**
 * Reads each minute from one source: the hot store where it is complete, else the archive; the two never both. Sums are
 * put together where one ends and the other begins; a distinct count whose bucket needs both is the archive's alone.
 */
export async function measureBuckets(request: BucketsRequest, sources: BucketsSources): Promise<MeasuredBuckets> {
  const { measures, buckets, range } = request
  const { view, minutes } = sources
  const { hotFrom: from = hotStart(view, request.now) } = request
  const hotFrom = minutes ? Math.max(view.completeSince, from) : Number.POSITIVE_INFINITY
  const split = splitRange(range, hotFrom, request.now)
  const windows = view.projects.get(request.project)
  const answer: MeasuredBuckets = new Map()
  const valuesOf = (key: string): bigint[][] => {
    let values = answer.get(key)
    if (!values) {
      values = buckets.map(() => measures.map(() => 0n))
      answer.set(key, values)
    }
    return values
  }
  if (!request.breakdown) valuesOf('')
  // Users of a bucket of the last day may have been active a little before it; the store keeps an hour more.
  const activeFrom = Math.max(view.completeSince, hotFrom - ACTIVE_BEFORE * MINUTE_MS)
  const isArchived = (measure: Measure, bucket: Bucket) => needsArchive(measure, bucket, request, split, activeFrom)
  await readArchive(request, sources.archive, split, isArchived, valuesOf)
  // What was to be read live may have been given up while the archive was read.
  if (view.completeSince > activeFrom) return measureBuckets({ ...request, hotFrom: view.completeSince }, sources)
  if (minutes && hotFrom < range.to) readHot(request, minutes, windows, split, isArchived, valuesOf)
  return answer
}

/** First minute that is read from the hot store. */
export function hotStart(view: HotView, now: number): number {
  return Math.max(view.completeSince, Math.floor((now - DAY_MS) / MINUTE_MS) * MINUTE_MS)
}

/** How long before a bucket events may count in it, ms. */
export function activeBefore(measures: readonly Measure[]): number {
  return measures.includes('active_users') ? ACTIVE_BEFORE * MINUTE_MS : 0
}

/** Whether a distinct count of a range is the archive's alone. */
export function isArchiveAlone(
  range: Bucket,
  { view, minutes }: Pick<BucketsSources, 'view' | 'minutes'>,
  now: number,
): boolean {
  const { archived } = splitRange(range, minutes ? hotStart(view, now) : Number.POSITIVE_INFINITY, now)
  return archived.length > 0
}

/** Whether a distinct count of a bucket needs anything that only the archive has. */
function needsArchive(
  measure: Measure,
  bucket: Bucket,
  { range }: BucketsRequest,
  { hot }: SplitRange,
  activeFrom: number,
) {
  // Known by whole minutes from either source.
  if (measure === 'active_users') return bucket.from - ACTIVE_BEFORE * MINUTE_MS < activeFrom
  return Math.max(bucket.from, range.from) < hot.from || Math.min(bucket.to, range.to) > hot.to
}

type IsArchived = (measure: Measure, bucket: Bucket) => boolean
type ValuesOf = (key: string) => bigint[][]

async function readArchive(
  request: BucketsRequest,
  archive: ArchiveRows,
  split: SplitRange,
  isArchived: IsArchived,
  valuesOf: ValuesOf,
): Promise<void> {
  const { range, buckets, measures, granularity } = request
  const indexByStart = new Map(buckets.map((bucket, index) => [bucket.from, index]))
  const indexByLastMinute = new Map<number, number>()
  for (const [index, bucket] of buckets.entries()) {
    const last = lastMinute(bucket, request)
    if (last !== undefined) indexByLastMinute.set(last, index)
  }
  // Measures that are read over the same stretch go together.
  const readings = new Map<string, { stretch: Bucket; by: Granularity | undefined; together: Measure[] }>()
  for (const measure of measures) {
    const stretches = DISTINCT_MEASURES.has(measure)
      ? neighbours(buckets.filter((bucket) => isArchived(measure, bucket))).map((stretch) => ({
          from: Math.max(stretch.from, range.from),
          to: Math.min(stretch.to, range.to),
        }))
      : split.archived
    // Active users are known by the minute.
    const by = measure === 'active_users' && granularity ? 'minute' : granularity
    for (const stretch of stretches) {
      const key = `${by} ${stretch.from} ${stretch.to}`
      const reading = readings.get(key) ?? { stretch, by, together: [] }
      reading.together.push(measure)
      readings.set(key, reading)
    }
  }
  await Promise.all(
    [...readings.values()].map(async ({ stretch, by, together }) => {
      const { project, filters, bots, timezone, breakdown, keys, signal, slot } = request
      // What the end of the range cuts is not what lies before the hot store.
      const part = stretch.from > range.from ? `${slot}-end` : slot
      const rows = await archive.read(part, {
        ...{ project, filters, bots, ...stretch },
        timezone,
        breakdown,
        keys,
        signal,
        granularity: by,
        measures: together,
      })
      for (const row of rows) {
        const index = !by ? 0 : by === granularity ? indexByStart.get(row.t) : indexByLastMinute.get(row.t)
        if (index === undefined) continue
        const values = valuesOf(row.key ?? '')[index] as bigint[]
        for (const [i, measure] of together.entries()) {
          const at = measures.indexOf(measure)
          values[at] = (values[at] as bigint) + (row.values[i] as bigint)
        }
      }
    }),
  )
}

/** Buckets that follow each other, as one. */
function neighbours(buckets: readonly Bucket[]): Bucket[] {
  const joined: Bucket[] = []
  for (const { from, to } of buckets) {
    const last = joined.at(-1)
    if (last?.to === from) last.to = to
    else joined.push({ from, to })
  }
  return joined
}

/** The minute at which a bucket's active users are counted: its last one that has begun. */
function lastMinute(bucket: Bucket, { range, granularity, now }: BucketsRequest): number | undefined {
  const from = Math.max(bucket.from, range.from)
  const last = Math.ceil(Math.min(bucket.to, range.to) / MINUTE_MS) * MINUTE_MS - MINUTE_MS
  // The users of minutes to come are those of the minutes before them.
  if (granularity === 'minute') return last
  const begun = Math.min(last, Math.floor(now / MINUTE_MS) * MINUTE_MS)
  return begun > from - MINUTE_MS ? begun : undefined
}

function readHot(
  request: BucketsRequest,
  minutes: MinuteResults,
  windows: ProjectWindows | undefined,
  { hot }: SplitRange,
  isArchived: IsArchived,
  valuesOf: ValuesOf,
): void {
  const { range, buckets, measures } = request
  // Not earlier: while the archive was read, new cells may have come.
  minutes.update(windows)
  const { keys } = minutes.selection
  const additive = measures.filter((measure) => !DISTINCT_MEASURES.has(measure))
  const distinct = measures.filter((measure) => DISTINCT_MEASURES.has(measure))
  // A range may end in a far future that nobody should walk through.
  const end = Math.max(0, ...(windows?.minutes.keys() ?? [])) + MINUTE_MS
  for (const [index, bucket] of buckets.entries()) {
    const from = Math.max(bucket.from, range.from)
    const to = Math.min(bucket.to, range.to)
    const [firstHot, endHot] = [Math.max(from, hot.from), Math.min(to, hot.to, end)]
    if (additive.length > 0 && firstHot < endHot) {
      sums.clear()
      minutes.addSums(windows, firstHot, endHot, sums)
      for (const group of sums.groups) {
        const values = valuesOf(keys[group] as string)[index] as bigint[]
        for (const measure of additive) {
          const at = measures.indexOf(measure)
          values[at] = (values[at] as bigint) + sums.value(group, measure)
        }
      }
    }
    for (const measure of distinct) {
      if (isArchived(measure, bucket)) continue
      const last = lastMinute(bucket, request) ?? Number.NEGATIVE_INFINITY
      const first = measure === 'active_users' ? last - ACTIVE_BEFORE * MINUTE_MS : from
      const until = measure === 'active_users' ? last + MINUTE_MS : Math.ceil(Math.min(to, end) / MINUTE_MS) * MINUTE_MS
      if (!(first < until)) continue
      for (const [group, count] of minutes.count(windows, SKETCHES[measure as 'users'], first, until)) {
        if (count > 0) (valuesOf(keys[group] as string)[index] as bigint[])[measures.indexOf(measure)] = BigInt(count)
      }
    }
  }
}
