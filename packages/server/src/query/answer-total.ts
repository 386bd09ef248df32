import type { TotalAnswer } from '@nowcast/protocol'
import type { AnswerDraft } from './answer-draft.ts'
import { isArchiveAway } from './archive-away.ts'
import { type Bucket, resolveRange } from './buckets.ts'
import { measureBuckets } from './measure-buckets.ts'
import { METRIC_DEFINITIONS, type MetricValue } from './metric-definitions.ts'
import type { Question } from './question.ts'
import type { QuestionState, Sources } from './question-state.ts'

/** One value over the range, and over the range of the same length before it. */
export async function answerTotal(
  question: Question,
  state: QuestionState,
  sources: Sources,
): Promise<AnswerDraft<TotalAnswer>> {
  const { project, metric, timezone } = question
  const definition = METRIC_DEFINITIONS[metric]
  const range = resolveRange(question.range, 'minute', timezone, sources.now)
  const before = { from: Math.max(0, range.from - (range.to - range.from)), to: range.from }
  const [value, previous] = await Promise.all([
    totalOver(range, 'total', question, state, sources),
    totalOver(before, 'previous', question, state, sources).catch(nullWhileAway),
  ])
  const isKnown = before.from >= sources.eventsFrom
  return {
    kind: 'total',
    ...value,
    previous: isKnown ? previous : null,
    ...(definition.money && { currency: project.currency }),
  }
}

/** What is live is answered without what is not: the archive may be away. */
function nullWhileAway(error: unknown): null {
  if (isArchiveAway(error)) return null
  throw error
}

/** The question's metric over one stretch of time. */
export async function totalOver(
  range: Bucket,
  slot: string,
  question: Question,
  state: QuestionState,
  sources: Sources,
): Promise<MetricValue> {
  const { project, metric, timezone, filters, bots } = question
  const { measures, value } = METRIC_DEFINITIONS[metric]
  const measured = await measureBuckets(
    {
      project: project.id,
      filters,
      bots,
      timezone,
      measures,
      range,
      buckets: [range],
      now: sources.now,
      slot,
      signal: sources.signal,
    },
    {
      view: sources.view,
      archive: state.archive,
      minutes: state.minutes({ ...question, breakdown: undefined }),
    },
  )
  return value(measured.get('')?.[0] ?? [], range.to - range.from)
}
