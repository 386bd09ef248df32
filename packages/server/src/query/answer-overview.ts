import type { Metric, OverviewAnswer, Tile } from '@nowcast/protocol'
import type { Measure } from '../ports/event-store.ts'
import { MINUTE_MS } from '../window/window-cube.ts'
import { BASELINE_BUCKETS, expectedBand, judge } from './anomaly.ts'
import type { AnswerDraft } from './answer-draft.ts'
import { totalOver } from './answer-total.ts'
import { type Bucket, bucketsOf } from './buckets.ts'
import { firstIndex } from './mark-anomalies.ts'
import { measureBuckets } from './measure-buckets.ts'
import { METRIC_DEFINITIONS, type MetricValue } from './metric-definitions.ts'
import type { Question } from './question.ts'
import type { QuestionState, Sources } from './question-state.ts'

const HOUR_MS = 60 * MINUTE_MS
/** Minutes of the active users' tile: the running one and the five before it. */
const ACTIVE_MS = 6 * MINUTE_MS
const RATE_SECONDS = 10
const MEASURES: Measure[] = ['events', 'page_views', 'errors', 'revenue', 'users', 'buyers', 'active_users']

/** The dashboard's tiles in one answer. */
export async function answerOverview(
  question: Question,
  state: QuestionState,
  sources: Sources,
): Promise<AnswerDraft<OverviewAnswer>> {
  const { project, filters, bots } = question
  const { now } = sources
  const to = Math.floor(now / MINUTE_MS) * MINUTE_MS + MINUTE_MS
  const range = { from: to - 2 * HOUR_MS, to }
  const buckets = bucketsOf(range, 'minute', 'UTC')
  const measured = await measureBuckets(
    {
      project: project.id,
      filters,
      bots,
      timezone: 'UTC',
      granularity: 'minute',
      measures: MEASURES,
      range,
      buckets,
      now,
      slot: 'minutes',
      signal: sources.signal,
    },
    { view: sources.view, archive: state.archive, minutes: state.minutes(question) },
  )
  const minutes = measured.get('') ?? []
  const of = (metric: Metric) => METRIC_DEFINITIONS[metric].measures.map((measure) => MEASURES.indexOf(measure))
  const value = (metric: Metric, values: bigint[], ms: number): MetricValue =>
    METRIC_DEFINITIONS[metric].value(
      of(metric).map((at) => values[at] ?? 0n),
      ms,
    )
  const spark = (metric: Metric) => minutes.map((values) => value(metric, values, MINUTE_MS).v)
  const sum = (metric: Metric, part: bigint[][]): MetricValue => {
    const sums = MEASURES.map((_, i) => part.reduce((total, values) => total + (values[i] ?? 0n), 0n))
    return value(metric, sums, HOUR_MS)
  }
  const lastHour = minutes.slice(60)
  const hourBefore = minutes.slice(0, 60)
  const distinct = (metric: Metric, slot: string, stretch: Bucket) =>
    totalOver(stretch, slot, { ...question, metric }, state, sources)
  const [users, usersBefore, conversion, conversionBefore] = await Promise.all([
    distinct('users', 'active', { from: to - ACTIVE_MS, to }),
    distinct('users', 'active-before', { from: to - ACTIVE_MS - 5 * MINUTE_MS, to: to - 5 * MINUTE_MS }),
    distinct('conversion_rate', 'conversion', { from: to - HOUR_MS, to }),
    distinct('conversion_rate', 'conversion-before', { from: to - 2 * HOUR_MS, to: to - HOUR_MS }),
  ])
  const closed = buckets.filter((bucket) => bucket.to + sources.closeAfterMs <= now).length

  const { baseline, sigma } = question.anomalies ?? { baseline: 'previous', sigma: 2 }
  const begin = firstIndex(
    buckets.map(({ from }) => ({ t: from })),
    sources.firstEventAt,
  )

  function tile(current: MetricValue, previous: MetricValue, values: number[]): Tile {
    const last = closed - 1
    const from = last - BASELINE_BUCKETS
    const isKnown = from >= begin || !sources.mayBeginEarlier
    const band = isKnown ? expectedBand(values.slice(Math.max(begin, from), last), sigma, baseline) : undefined
    const anomaly = band && judge(values[last] as number, band, sigma)
    return {
      ...current,
      previous: previous.v,
      ...(previous.exact !== undefined && { previousExact: previous.exact }),
      spark: values.slice(60),
      ...(anomaly && { anomaly }),
    }
  }
  const summed = (metric: Metric) => tile(sum(metric, lastHour), sum(metric, hourBefore), spark(metric))

  return {
    kind: 'overview',
    tiles: {
      activeUsers: { ...tile(users, usersBefore, spark('active_users')), approximate: true },
      eventsPerSecond: tile(
        { v: receivedRate(question, state, sources, 1) },
        { v: receivedRate(question, state, sources, 2) },
        spark('events_per_second'),
      ),
      revenueLastHour: { ...summed('revenue'), currency: project.currency },
      pageViewsLastHour: summed('page_views'),
      errorRateLastHour: summed('error_rate'),
      conversionRateLastHour: { ...tile(conversion, conversionBefore, spark('conversion_rate')), approximate: true },
    },
  }
}

/** Mean of events received in ten whole seconds: the last ones, or those `back − 1` times ten seconds before. */
function receivedRate(question: Question, state: QuestionState, sources: Sources, back: number): number {
  const windows = sources.view.projects.get(question.project.id)
  const minutes = state.minutes(question)
  if (!windows || !minutes) return 0
  minutes.update(windows)
  const end = Math.floor(sources.now / 1000) - (back - 1) * RATE_SECONDS
  let events = 0
  for (let second = end - RATE_SECONDS; second < end; second++) {
    for (const [id, count] of windows.seconds.get(second * 1000) ?? []) if (minutes.selection.mask[id]) events += count
  }
  return events / RATE_SECONDS
}
