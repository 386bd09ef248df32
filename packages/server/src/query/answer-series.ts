import { OTHER, type Point, QUERY_LIMITS, type Series, type SeriesAnswer } from '@nowcast/protocol'
import { previousBucket } from '../window/zone.ts'
import { BASELINE_BUCKETS, expectedBand, judge } from './anomaly.ts'
import type { AnswerDraft } from './answer-draft.ts'
import { type Bucket, bucketsOf, resolveRange } from './buckets.ts'
import { measureBuckets } from './measure-buckets.ts'
import { DISTINCT_MEASURES, METRIC_DEFINITIONS } from './metric-definitions.ts'
import type { Question } from './question.ts'
import type { QuestionState, Sources } from './question-state.ts'
import { rankKeys } from './rank-keys.ts'

/** How long the keys of a watched series stay as they were chosen, ms. */
const RANKED_MS = 60_000

/** One value a bucket, for the whole or for the ten largest keys and `(other)`. */
export async function answerSeries(
  question: Question,
  state: QuestionState,
  sources: Sources,
): Promise<AnswerDraft<SeriesAnswer>> {
  const { project, metric, granularity, timezone, filters, bots, breakdown } = question
  const { now } = sources
  const definition = METRIC_DEFINITIONS[metric]
  const asked = resolveRange(question.range, granularity, timezone, now)
  const shown = bucketsOf(asked, granularity, timezone)
  const before = question.anomalies ? earlierBuckets(shown[0], question) : []
  const range = { from: before[0]?.from ?? asked.from, to: asked.to }
  const buckets = [...before, ...shown]
  const keys = breakdown && (await seriesKeys(question, asked, state, sources))

  const measured = await measureBuckets(
    {
      project: project.id,
      filters,
      bots,
      timezone,
      granularity,
      breakdown: breakdown?.dimension,
      keys,
      measures: definition.measures,
      range,
      buckets,
      now,
      slot: 'series',
      signal: sources.signal,
    },
    { view: sources.view, archive: state.archive, minutes: state.minutes(question, definition.measures, keys) },
  )
  const series: Series[] = []
  const names = keys ? [...keys, ...(measured.has(OTHER) ? [OTHER] : [])] : ['']
  for (const name of names) {
    const values = measured.get(name)
    const points = buckets.map((bucket, i) => toPoint(bucket, values?.[i] ?? []))
    if (question.anomalies) markAnomalies(points, before.length, question.anomalies.sigma, sources.firstEventAt)
    series.push({ key: keys ? name : null, points: points.slice(before.length) })
  }
  return { kind: 'series', granularity, timezone, series, ...(definition.money && { currency: project.currency }) }

  function toPoint(bucket: Bucket, measures: bigint[]): Point {
    const point: Point = { t: bucket.from, ...definition.value(measures, bucket.to - bucket.from) }
    if (bucket.to + sources.closeAfterMs > now) point.partial = true
    return point
  }
}

/** The keys of the series, chosen again once a minute while it is watched. */
async function seriesKeys(
  question: Question,
  range: Bucket,
  state: QuestionState,
  sources: Sources,
): Promise<string[]> {
  if (state.ranked && sources.now - state.ranked.at < RANKED_MS) return state.ranked.keys
  const [first = 'events'] = METRIC_DEFINITIONS[question.metric].measures
  // Distinct counts of every key would cost much and change nothing but the order.
  const by = DISTINCT_MEASURES.has(first) ? 'events' : first
  const { keys } = await rankKeys(question, range, QUERY_LIMITS.seriesKeys, state, sources, [by])
  state.ranked = { keys, at: sources.now }
  return keys
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

/** Judges each closed point by the closed points before it; time before the project's first event is no baseline. */
function markAnomalies(points: Point[], shownFrom: number, sigma: number, firstEventAt: number | undefined): void {
  const begin = firstEventAt === undefined ? points.length : points.findIndex((point) => point.t >= firstEventAt)
  if (begin < 0) return
  for (let i = shownFrom; i < points.length; i++) {
    const point = points[i] as Point
    const baseline = points.slice(Math.max(begin, i - BASELINE_BUCKETS), i)
    const band = expectedBand(
      baseline.map(({ v }) => v),
      sigma,
    )
    if (!band) continue
    const { expected, low, high } = band
    point.band = { expected, low, high }
    const anomaly = point.partial ? undefined : judge(point.v, band, sigma)
    if (anomaly) point.anomaly = anomaly
  }
}
