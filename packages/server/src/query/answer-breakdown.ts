import { type BreakdownAnswer, type BreakdownRow, OTHER } from '@nowcast/protocol'
import type { AnswerDraft } from './answer-draft.ts'
import { resolveRange } from './buckets.ts'
import { measureBuckets } from './measure-buckets.ts'
import { METRIC_DEFINITIONS } from './metric-definitions.ts'
import type { Question } from './question.ts'
import type { QuestionState, Sources } from './question-state.ts'
import { rankKeys } from './rank-keys.ts'

/** The metric by the values of a dimension, largest first, the rest as `(other)`. */
export async function answerBreakdown(
  question: Question,
  state: QuestionState,
  sources: Sources,
): Promise<AnswerDraft<BreakdownAnswer>> {
  const { project, metric, timezone, filters, bots, breakdown, limit } = question
  const definition = METRIC_DEFINITIONS[metric]
  const range = resolveRange(question.range, 'minute', timezone, sources.now)
  const keys = await rankKeys(question, range, limit, state, sources)
  const measured = await measureBuckets(
    {
      project: project.id,
      filters,
      bots,
      timezone,
      breakdown: breakdown?.dimension,
      keys,
      measures: definition.measures,
      range,
      buckets: [range],
      now: sources.now,
      slot: 'breakdown',
      signal: sources.signal,
    },
    { view: sources.view, archive: state.archive, minutes: state.minutes(question, definition.measures, keys) },
  )
  const values = [...keys, OTHER].flatMap((key) => {
    const found = measured.get(key)?.[0]
    return found ? [{ key, ...definition.value(found, range.to - range.from) }] : []
  })
  const sum = values.reduce((total, { v }) => total + v, 0)
  const rows: BreakdownRow[] = values.map((row) => ({ ...row, share: sum === 0 ? 0 : row.v / sum }))
  return {
    kind: 'breakdown',
    breakdown: breakdown?.name ?? '',
    rows,
    ...(definition.money && { currency: project.currency }),
  }
}
