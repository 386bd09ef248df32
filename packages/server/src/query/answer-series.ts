import { QUERY_LIMITS, type SeriesAnswer } from '@nowcast/protocol'
import type { AnswerDraft } from './answer-draft.ts'
import { type Bucket, resolveRange } from './buckets.ts'
import { measureSeries } from './measure-series.ts'
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
  const { project, metric, granularity, timezone, breakdown } = question
  const range = resolveRange(question.range, granularity, timezone, sources.now)
  const keys = breakdown && (await seriesKeys(question, range, state, sources))
  const measured = await measureSeries(question, range, keys, 'series', state, sources)
  const series = measured.map(({ key, points }) => ({ key: keys ? key : null, points }))
  const { money } = METRIC_DEFINITIONS[metric]
  return { kind: 'series', granularity, timezone, series, ...(money && { currency: project.currency }) }
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
