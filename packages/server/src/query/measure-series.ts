import { OTHER, type Point } from '@nowcast/protocol'
import { MINUTE_MS } from '../window/window-cube.ts'
import { previousBucket } from '../window/zone.ts'
import { BASELINE_BUCKETS, BASELINE_WEEKS } from './anomaly.ts'
import { isArchiveAway } from './archive-away.ts'
import { type Bucket, bucketsOf } from './buckets.ts'
import { weeksEarlier } from './earlier-weeks.ts'
import { markByPrevious, markByWeeks } from './mark-anomalies.ts'
import { activeBefore, hotStart, type MeasuredBuckets, measureBuckets } from './measure-buckets.ts'
import { METRIC_DEFINITIONS } from './metric-definitions.ts'
import type { Question } from './question.ts'
import type { QuestionState, Sources } from './question-state.ts'

/** Points of one key. */
export interface MeasuredSeries {
  key: string
  points: Point[]
}

/**
 * The question's metric by bucket over a range, judged where anomalies are asked for.
 * @param keys of the breakdown; one series with the key '' without
 * @param slot names what is read, see BucketsRequest
 */
export async function measureSeries(
  question: Question,
  asked: Bucket,
  keys: string[] | undefined,
  slot: string,
  state: QuestionState,
  sources: Sources,
): Promise<MeasuredSeries[]> {
  const { project, metric, granularity, timezone, filters, bots, breakdown, anomalies } = question
  const { now, closeAfterMs, firstEventAt, mayBeginEarlier, view } = sources
  const definition = METRIC_DEFINITIONS[metric]
  const shown = bucketsOf(asked, granularity, timezone)
  const baseline = anomalies && anomalies.baseline !== 'seasonal' ? earlierBuckets(shown[0], question) : []
  const hotFrom = state.minutes(question, keys) ? hotStart(view, now) : Number.POSITIVE_INFINITY
  const isLive = asked.from >= hotFrom
  // The hot store keeps an hour more than it answers for: the minutes that judge those of the last day.
  const keptFrom = isLive ? Math.max(view.completeSince, hotFrom - BASELINE_BUCKETS * MINUTE_MS) : hotFrom
  const { before, isCut, readings } = await readAfter(baseline).catch(readLive)
  const names = keys ? [...keys, ...(readings.some((one) => one.has(OTHER)) ? [OTHER] : [])] : ['']
  const series = names.map((key) => {
    const [first, second] = readings.map((reading) => reading.get(key) ?? [])
    const values = isCut ? [...padded(second, before.length), ...(first ?? [])] : first
    return { key, points: [...before, ...shown].map((bucket, i) => toPoint(bucket, values?.[i] ?? [])) }
  })
  if (!anomalies) return series
  if (anomalies.baseline === 'seasonal') {
    const weeks = await readWeeks()
    for (const { key, points } of series)
      markByWeeks(
        points,
        weeks.map((week) => week(key)),
        { anomalies, firstEventAt },
      )
    return series
  }
  const lacksSome = before.length < baseline.length && (firstEventAt ?? 0) < (before[0] ?? shown[0] ?? asked).from
  for (const { points } of series)
    markByPrevious(points, before.length, { anomalies, firstEventAt }, lacksSome || mayBeginEarlier)
  return series.map(({ key, points }) => ({ key, points: points.slice(before.length) }))

  async function readAfter(before: Bucket[]) {
    const whole = { from: before[0]?.from ?? asked.from, to: asked.to }
    // A first bucket that the range cuts is cut, although those before it are whole.
    const isCut = before.length > 0 && (shown[0]?.from ?? 0) < asked.from
    const readings = isCut
      ? await Promise.all([
          read(asked, shown, slot),
          read({ ...whole, to: shown[0]?.from ?? 0 }, before, `${slot}-before`),
        ])
      : [await read(whole, [...before, ...shown], slot)]
    return { before, isCut, readings }
  }

  /** What is live is answered while the archive is away, and judged where its baseline is live too. */
  function readLive(error: unknown) {
    const live = baseline.filter(({ from }) => from >= keptFrom + activeBefore(definition.measures))
    if (!isArchiveAway(error) || !isLive || live.length === baseline.length) throw error
    return readAfter(live)
  }

  function read(range: Bucket, buckets: Bucket[], part: string, isOld = false): Promise<MeasuredBuckets> {
    const { measures } = definition
    const about = { project: project.id, filters, bots, timezone, granularity, breakdown: breakdown?.dimension, keys }
    return measureBuckets(
      { ...about, measures, range, buckets, now, hotFrom: keptFrom, slot: part, signal: sources.signal },
      {
        view,
        archive: state.archive,
        minutes: isOld ? undefined : state.minutes(question, keys),
      },
    )
  }

  /** For each earlier week that has events: the same buckets of a key. */
  async function readWeeks() {
    const numbers = Array.from({ length: BASELINE_WEEKS }, (_, i) => i + 1)
    const weeks = numbers.map(async (number) => {
      const starts = weeksEarlier(shown, number, granularity, timezone)
      const from = starts.reduce((least, start) => Math.min(least, start), Number.POSITIVE_INFINITY)
      const last = starts.reduce((most, start) => Math.max(most, start), 0)
      if (firstEventAt === undefined || last < firstEventAt) return undefined
      const buckets = bucketsOf({ from, to: last + 1 }, granularity, timezone)
      const measured = await read({ from, to: buckets.at(-1)?.to ?? last }, buckets, `${slot}-${number}`, true)
      const index = new Map(buckets.map((bucket, i) => [bucket.from, i]))
      return (key: string) =>
        starts.map((t) => {
          const at = index.get(t) ?? -1
          const bucket = buckets[at]
          const values = measured.get(key)?.[at] ?? []
          return { t, v: bucket ? definition.value(values, bucket.to - bucket.from).v : 0 }
        })
    })
    return (await Promise.all(weeks)).filter((week) => week !== undefined)
  }

  function toPoint(bucket: Bucket, measures: bigint[]): Point {
    const point: Point = { t: bucket.from, ...definition.value(measures, bucket.to - bucket.from) }
    if (bucket.to + closeAfterMs > now) point.partial = true
    return point
  }
}

function padded(values: bigint[][] = [], length: number): bigint[][] {
  return Array.from({ length }, (_, i) => values[i] ?? [])
}

/** The buckets before the first one shown, as the baseline needs them. */
function earlierBuckets(first: Bucket | undefined, { granularity, timezone }: Question): Bucket[] {
  const buckets: Bucket[] = []
  let to = first?.from ?? 0
  while (buckets.length < BASELINE_BUCKETS && to > 0) {
    const from = previousBucket(granularity, timezone, to)
    buckets.unshift({ from, to })
    to = from
  }
  return buckets
}
