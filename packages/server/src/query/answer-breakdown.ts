import { type BreakdownAnswer, type BreakdownRow, OTHER } from '@nowcast/protocol'
import type { Measure } from '../ports/event-store.ts'
import { bucketStart, previousBucket } from '../window/zone.ts'
import type { AnswerDraft } from './answer-draft.ts'
import { resolveRange } from './buckets.ts'
import { isArchiveAlone, type MeasuredBuckets, measureBuckets } from './measure-buckets.ts'
import { measureSeries } from './measure-series.ts'
import { DISTINCT_MEASURES, METRIC_DEFINITIONS } from './metric-definitions.ts'
import type { Question } from './question.ts'
import type { QuestionState, Sources } from './question-state.ts'
import { type RankedKeys, rankKeys } from './rank-keys.ts'

/** The metric by the values of a dimension, largest first, the rest as `(other)`. */
export async function answerBreakdown(
  question: Question,
  state: QuestionState,
  sources: Sources,
): Promise<AnswerDraft<BreakdownAnswer>> {
  const { project, metric, timezone, filters, bots, breakdown, limit } = question
  const definition = METRIC_DEFINITIONS[metric]
  const range = resolveRange(question.range, 'minute', timezone, sources.now)
  const { keys, measured } = await largest()
  const values = [...keys, OTHER].flatMap((key) => {
    const found = measured.get(key)?.[0]
    return found ? [{ key, ...definition.value(found, range.to - range.from) }] : []
  })
  const sum = values.reduce((total, { v }) => total + v, 0)
  const rows: BreakdownRow[] = values.map((row) => ({ ...row, share: sum === 0 ? 0 : row.v / sum }))
  if (question.anomalies) await judgeRows(rows)
  return {
    kind: 'breakdown',
    breakdown: breakdown?.name ?? '',
    rows,
    ...(definition.money && { currency: project.currency }),
  }

  /** The largest keys, and what they and `(other)` have. */
  async function largest(): Promise<RankedKeys> {
    const minutes = state.minutes(question)
    if (isRankable(definition.measures) && isArchiveAlone(range, { view: sources.view, minutes }, sources.now))
      return rankArchived(definition.measures)
    const ranked = await rankKeys(question, range, limit, state, sources)
    const isAdditive = !definition.measures.some((measure) => DISTINCT_MEASURES.has(measure))
    return isAdditive ? { keys: ranked.keys, measured: foldOthers(ranked) } : measureFolded(ranked.keys)
  }

  /** One reading where the archive can rank by what is asked for: sketches of a month are read once. */
  async function rankArchived(measures: Measure[]): Promise<RankedKeys> {
    const about = { project: project.id, filters, bots, timezone, breakdown: breakdown?.dimension, ...range }
    const rows = await state.archive.read('breakdown', {
      ...about,
      ...{ measures, limit, others: true, signal: sources.signal },
    })
    const measured: MeasuredBuckets = new Map(rows.map(({ key, values }) => [key ?? '', [values]]))
    return { keys: [...measured.keys()].filter((key) => key !== OTHER), measured }
  }

  /** Each row's last closed bucket, as a series of the key would judge it. */
  async function judgeRows(all: BreakdownRow[]): Promise<void> {
    const { granularity } = question
    const closedAt = Math.min(range.to, sources.now - sources.closeAfterMs)
    const to = bucketStart(granularity, timezone, closedAt)
    if (to <= 0) return
    const last = { from: previousBucket(granularity, timezone, to), to }
    for (const { key, points } of await measureSeries(question, last, keys, 'judged', state, sources)) {
      const row = all.find((one) => one.key === key)
      const anomaly = points.at(-1)?.anomaly
      if (row && anomaly) row.anomaly = anomaly
    }
  }

  /** Distinct counts cannot be added up: those of `(other)` are counted anew. */
  async function measureFolded(keys: string[]): Promise<RankedKeys> {
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
      { view: sources.view, archive: state.archive, minutes: state.minutes(question, keys) },
    )
    return { keys, measured }
  }
}

/** Whether keys are ranked by one distinct count of the range, as the archive can by itself. */
function isRankable(measures: readonly Measure[]): boolean {
  const [only, more] = measures
  return more === undefined && (only === 'users' || only === 'sessions')
}

/** Adds up every key that is not among the ranked ones. */
function foldOthers({ keys, measured }: RankedKeys): MeasuredBuckets {
  const kept = new Set(keys)
  const folded: MeasuredBuckets = new Map()
  for (const [key, [values = []]] of measured) {
    if (kept.has(key)) folded.set(key, [values])
    else folded.set(OTHER, [values.map((value, i) => value + (folded.get(OTHER)?.[0]?.[i] ?? 0n))])
  }
  return folded
}
