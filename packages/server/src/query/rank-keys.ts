import { OTHER } from '@nowcast/protocol'
import type { Measure } from '../ports/event-store.ts'
import type { Bucket } from './buckets.ts'
import { type MeasuredBuckets, measureBuckets } from './measure-buckets.ts'
import { METRIC_DEFINITIONS } from './metric-definitions.ts'
import type { Question } from './question.ts'
import type { QuestionState, Sources } from './question-state.ts'

export interface RankedKeys {
  keys: string[]
  /** What was ranked: one bucket of every key. */
  measured: MeasuredBuckets
}

/**
 * The values of the breakdown with the largest metric over a range, largest first, `(other)` left out.
 * @param measures what ranks; the metric's own measures by default
 */
export async function rankKeys(
  question: Question,
  range: Bucket,
  most: number,
  state: QuestionState,
  sources: Sources,
  measures?: Measure[],
): Promise<RankedKeys> {
  const { metric, project, filters, bots, timezone, breakdown } = question
  const definition = METRIC_DEFINITIONS[metric]
  const ranking = measures ?? definition.measures
  const measured = await measureBuckets(
    {
      project: project.id,
      filters,
      bots,
      timezone,
      breakdown: breakdown?.dimension,
      measures: ranking,
      range,
      buckets: [range],
      now: sources.now,
      slot: 'ranking',
      signal: sources.signal,
    },
    { view: sources.view, archive: state.archive, minutes: state.minutes(question) },
  )
  const rank = (values: bigint[]) => (measures ? Number(values[0]) : definition.value(values, range.to - range.from).v)
  const keys = Array.from(measured, ([key, [values = []]]) => ({ key, v: rank(values) }))
    .filter(({ key }) => key !== OTHER)
    .sort((a, b) => b.v - a.v || (a.key < b.key ? -1 : 1))
    .slice(0, most)
    .map(({ key }) => key)
  return { keys, measured }
}
