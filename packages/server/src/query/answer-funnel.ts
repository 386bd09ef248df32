import { type FunnelAnswer, type FunnelStepAnswer, OTHER } from '@nowcast/protocol'
import type { FunnelRow } from '../ports/event-store.ts'
import type { AnswerDraft } from './answer-draft.ts'
import { resolveRange, spanMs } from './buckets.ts'
import type { Question } from './question.ts'
import type { QuestionState, Sources } from './question-state.ts'

/** A watched funnel is computed anew after so long, ms. */
const FRESH_MS = 10_000

/** How many users came how far: from raw events, so that the last second or two are not in it. */
export async function answerFunnel(
  question: Question,
  state: QuestionState,
  sources: Sources,
): Promise<AnswerDraft<FunnelAnswer>> {
  const { project, filters, bots, funnel, breakdown, limit, timezone } = question
  const { steps, window } = funnel ?? { steps: [], window: '1h' }
  const { rows, asOf } = await state.remembered('funnel', FRESH_MS, async () => ({
    asOf: sources.now,
    rows: await sources.eventStore.funnel({
      project: project.id,
      filters,
      bots,
      ...resolveRange(question.range, 'minute', timezone, sources.now),
      steps,
      windowMs: spanMs(window),
      breakdown: breakdown?.dimension,
      signal: sources.signal,
    }),
  }))
  const [whole, ...keys] = rows
  const answered = (users: readonly number[]): FunnelStepAnswer[] =>
    steps.map(({ name }, i) => ({
      name,
      users: users[i] ?? 0,
      rate: ratio(users[i], users[0]),
      stepRate: ratio(users[i], users[Math.max(0, i - 1)]),
    }))
  const answer = { kind: 'funnel' as const, steps: answered(whole?.users ?? []), window, asOf, approximate: false }
  if (!breakdown) return answer
  const kept = withOther(keys, whole, limit)
  return {
    ...answer,
    breakdown: breakdown.name,
    rows: kept.map(({ key, users }) => ({ key: key ?? '', steps: answered(users) })),
  }
}

/** The largest rows, and what is left of the whole as `(other)`. */
function withOther(rows: readonly FunnelRow[], whole: FunnelRow | undefined, limit: number): FunnelRow[] {
  const kept = rows.filter(({ key }) => key !== OTHER).slice(0, limit)
  const users = (whole?.users ?? []).map((all, i) => all - kept.reduce((sum, row) => sum + (row.users[i] as number), 0))
  return (users[0] ?? 0) > 0 ? [...kept, { key: OTHER, users }] : kept
}

function ratio(part = 0, whole = 0): number {
  return whole === 0 ? 0 : part / whole
}
