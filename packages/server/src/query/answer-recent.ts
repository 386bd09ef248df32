import type { RecentAnswer } from '@nowcast/protocol'
import type { AnswerDraft } from './answer-draft.ts'
import { resolveRange } from './buckets.ts'
import type { Question } from './question.ts'
import type { Sources } from './question-state.ts'

/** The newest events, as they were stored. */
export async function answerRecent(question: Question, sources: Sources): Promise<AnswerDraft<RecentAnswer>> {
  const { project, filters, bots, limit, timezone } = question
  const range = resolveRange(question.range, 'minute', timezone, sources.now)
  const stored = await sources.eventStore.recent(
    { project: project.id, filters, bots, ...range },
    limit,
    sources.signal,
  )
  const events = stored.map(
    ({ id, name, t, country, device, category, userId, anonymousId, url, title, revenue, currency, properties }) => ({
      id,
      name,
      t,
      country,
      device,
      category,
      ...(userId && { userId }),
      ...(anonymousId && { anonymousId }),
      ...(url && { url }),
      ...(title && { title }),
      ...(revenue && { revenue, currency }),
      ...(Object.keys(properties).length > 0 && { properties }),
    }),
  )
  return { kind: 'recent', timezone, events }
}
