import type { Answer, AnswerBase, Excluded } from '@nowcast/protocol'
import type { Clock } from '../ports/clock.ts'
import type { EventStore, Selection } from '../ports/event-store.ts'
import type { HotStore } from '../ports/hot-store.ts'
import type { Telemetry } from '../telemetry.ts'
import { BASELINE_BUCKETS, BASELINE_WEEKS } from './anomaly.ts'
import { answerBreakdown } from './answer-breakdown.ts'
import { answerFunnel } from './answer-funnel.ts'
import { answerOverview } from './answer-overview.ts'
import { answerRecent } from './answer-recent.ts'
import { answerSeries } from './answer-series.ts'
import { answerTotal } from './answer-total.ts'
import { type Bucket, resolveRange } from './buckets.ts'
import { type EventReads, gatedReads, keptReads } from './event-reads.ts'
import { findExcluded } from './find-excluded.ts'
import { createFirstEvents, firstEventOf } from './first-events.ts'
import { createKeptMinutes } from './kept-minutes.ts'
import { METRIC_DEFINITIONS } from './metric-definitions.ts'
import { createOldMonths, cutsHours, needsEvents, requireEvents } from './old-months.ts'
import { type Question, type Scope, toQuestion } from './question.ts'
import { QuestionState, type Sources } from './question-state.ts'
import { createReadGate } from './read-gate.ts'
import { createSharedWork } from './shared-work.ts'

const WEEK_MS = 7 * 24 * 3_600_000
/** At most, where clocks are turned. */
const BUCKET_MS = { minute: 60_000, hour: 3_600_000, day: 25 * 3_600_000 } as const
/** Questions asked within so short a time share a look at the hot store. */
const VIEW_AGE_MS = 200

export interface QueryDependencies {
  hotStore: HotStore
  eventStore: EventStore
  clock: Clock
  telemetry?: Pick<Telemetry, 'queriesWaiting'>
}

export interface QueryOptions {
  /** A minute counts as closed this long after it ends, ms. @default 5000 */
  closeAfterMs?: number
  /** Readings of the archive at a time. @default 4 */
  queriesAtOnce?: number
  /** Bytes of the last day's results by minute that are kept for questions to come. @default 128 MiB */
  keptBytes?: number
  /** Readings of one project that may wait for their turn. @default 128 */
  queriesWaiting?: number
}

/** A question to be answered again and again. */
export interface WatchableQuestion {
  /** Equal for questions with equal answers. */
  key: string
  everyMs: number
  /** Begins; what did not change is not computed again. */
  watch(): { answer(): Promise<Answer> }
}

/** Answers queries (body of `POST /v1/query`, of any shape) within what a token allows. */
export interface QueryStage {
  /** @throws NowcastError `invalid_query`, `metric_not_allowed`, `archive_unavailable`, `query_timeout`, `query_too_large`, `rate_limited` */
  answer(query: unknown, scope: Scope, signal?: AbortSignal): Promise<Answer>
  /** The events that filters name. @throws NowcastError `invalid_query` */
  selection(query: unknown, scope: Scope): Selection
  /** @throws NowcastError `invalid_query`, `metric_not_allowed` */
  watchable(query: unknown, scope: Scope): WatchableQuestion
}

/** The stage from a question to its answer. */
export function createQuery(dependencies: QueryDependencies, options: QueryOptions = {}): QueryStage {
  const { hotStore, clock, telemetry } = dependencies
  const { closeAfterMs = 5000 } = options
  const gate = createReadGate({ atOnce: options.queriesAtOnce, waiting: options.queriesWaiting })
  const gated = gatedReads(dependencies.eventStore, gate)
  const kept = keptReads({ ...gated, revision: dependencies.eventStore.revision })
  const eventStore: EventReads = { ...gated, ...kept }
  const shared = createSharedWork<Answer>()
  const minutes = createKeptMinutes(options.keptBytes)
  const newState = (isWatched: boolean) => new QuestionState({ eventStore, clock, kept: minutes }, isWatched)
  telemetry?.queriesWaiting(() => gate.waiting)
  const firstEvents = createFirstEvents(eventStore, clock)
  const oldMonths = createOldMonths(dependencies.eventStore)

  async function answer(question: Question, state: QuestionState, signal?: AbortSignal): Promise<Answer> {
    const startedAt = performance.now()
    // Before the view: the archive may take its time, and what is live grows old meanwhile.
    const isJudged = question.anomalies !== undefined || question.kind === 'overview'
    const archived = isJudged ? await firstEvents.of(question.project.id) : undefined
    const view = await hotStore.view({ maxAgeMs: VIEW_AGE_MS })
    const now = clock.now()
    const granularity = question.kind === 'series' ? question.granularity : 'minute'
    const range = resolveRange(question.range, granularity, question.timezone, now)
    const months = question.kind === 'overview' ? [] : await oldMonths.since(earliest(question, range), now)
    const isLacking = months.length > 0 && needsEvents(question)
    const begun = archived ?? (isLacking ? await firstEvents.of(question.project.id) : undefined)
    const firstEventAt = begun && firstEventOf(begun, view.projects.get(question.project.id))
    if (isLacking) requireEvents(range, months, firstEventAt)
    const lackingTo = isLacking ? Math.max(...months.map(({ to }) => to)) : 0
    const eventsFrom = (firstEventAt ?? 0) < lackingTo ? lackingTo : 0
    const sources: Sources = {
      ...{ view, eventStore, now, eventsFrom, closeAfterMs, signal },
      firstEventAt: firstEventAt === undefined ? undefined : Math.max(firstEventAt, eventsFrom),
      mayBeginEarlier: begun?.wasHeard === false,
    }
    const draft = await draftOf(question, state, sources).finally(() => minutes.settle())
    const definition = METRIC_DEFINITIONS[question.metric]
    const base: AnswerBase = {
      metric: question.metric,
      asOf: now,
      approximate: definition.approximate ?? (!isLacking && cutsHours(range, months, question)),
      tookMs: 0,
    }
    if (definition.money && draft.kind !== 'recent' && draft.kind !== 'funnel') {
      const excluded: Excluded[] = await findExcluded(question, range, state, sources)
      if (excluded.length > 0) base.excluded = excluded
    }
    base.tookMs = Math.round((performance.now() - startedAt) * 100) / 100
    return { ...base, ...draft } as Answer
  }

  return {
    async answer(query, scope, signal) {
      const question = toQuestion(query, scope)
      const once = (stop: AbortSignal) => answer(question, newState(false), stop)
      return shared.run(keyOf(question), once, signal)
    },
    selection(query, scope) {
      const { project, filters, bots, range, timezone } = toQuestion(query, scope)
      return { project: project.id, filters, bots, ...resolveRange(range, 'minute', timezone, clock.now()) }
    },
    watchable(query, scope) {
      const question = toQuestion(query, scope)
      return {
        key: keyOf(question),
        everyMs: question.everyMs,
        watch() {
          const state = newState(true)
          return { answer: () => answer(question, state) }
        },
      }
    },
  }
}

/** The earliest time that an answer looks at, epoch ms. */
function earliest({ kind, anomalies, granularity }: Question, { from, to }: Bucket): number {
  if (kind === 'total') return from - (to - from)
  if (anomalies === undefined) return from
  const back = anomalies.baseline === 'seasonal' ? BASELINE_WEEKS * WEEK_MS : BASELINE_BUCKETS * BUCKET_MS[granularity]
  return from - back
}

/** Equal for questions with equal answers. */
function keyOf(question: Question): string {
  return JSON.stringify({ ...question, project: question.project.id })
}

function draftOf(question: Question, state: QuestionState, sources: Sources) {
  switch (question.kind) {
    case 'series':
      return answerSeries(question, state, sources)
    case 'total':
      return answerTotal(question, state, sources)
    case 'breakdown':
      return answerBreakdown(question, state, sources)
    case 'funnel':
      return answerFunnel(question, state, sources)
    case 'recent':
      return answerRecent(question, sources)
    case 'overview':
      return answerOverview(question, state, sources)
  }
}

export { queryJsonSchema } from './query-schema.ts'
export type { Scope }
