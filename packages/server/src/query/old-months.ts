import type { EventStore, Stretch } from '../ports/event-store.ts'
import { zoneOffset } from '../window/zone.ts'
import type { Bucket } from './buckets.ts'
import { invalid } from './query-schema.ts'
import type { Question } from './question.ts'
import { isCellDimension } from './question-filters.ts'

const HOUR_MS = 3_600_000
/** Events stay for a whole month at least: later than so long ago there are all of them, ms. */
const YOUNGEST_MS = 27 * 24 * HOUR_MS

/** Months of which the archive keeps hours in place of events. */
export interface OldMonths {
  /** Those that end after `from`, epoch ms; what was heard last while the archive is away. */
  since(from: number, now: number): Promise<readonly Stretch[]>
}

export function createOldMonths(eventStore: Pick<EventStore, 'rolledUp'>): OldMonths {
  let known: readonly Stretch[] = []
  return {
    async since(from, now) {
      // Most questions: they need not wait for the archive, which may be away.
      if (from > now - YOUNGEST_MS) return []
      known = await eventStore.rolledUp().catch(() => known)
      return known.filter((month) => month.to > from)
    },
  }
}

/** Whether hours cannot answer: it takes events, or the minutes they happened in. */
export function needsEvents({ kind, metric, granularity, filters, breakdown }: Question): boolean {
  if (kind === 'recent' || kind === 'funnel' || metric === 'active_users') return true
  if (kind === 'series' && granularity === 'minute') return true
  if (breakdown && !isCellDimension(breakdown.dimension)) return true
  return filters.some(({ dimension }) => !isCellDimension(dimension))
}

/**
 * @param first when the project's events begin; undefined when that is not known
 * @throws NowcastError `invalid_query` when the project had events in a month of the range, and the question needs them
 */
export function requireEvents(range: Bucket, months: readonly Stretch[], first: number | undefined): void {
  const from = Math.max(range.from, first ?? range.from)
  const lacking = months.filter((month) => month.from < range.to && month.to > from)
  if (lacking.length === 0) return
  const since = new Date(Math.max(...months.map(({ to }) => to))).toISOString()
  throw invalid(
    'range',
    `single events are kept since ${since}; of the time before that there are hours by name, country, device, category and hot dimensions. Ask from then on, or for hours or days without other dimensions`,
  )
}

/** Whether hours are counted as a whole that the range or its buckets cut: each counts where it begins. */
export function cutsHours(range: Bucket, months: readonly Stretch[], { kind, timezone }: Question): boolean {
  const isCut = (at: number, month: Stretch) => at % HOUR_MS !== 0 && at > month.from && at < month.to
  const isLocal = ({ from, to }: Stretch) => [from, to].some((at) => zoneOffset(timezone, at) % HOUR_MS !== 0)
  return months
    .filter((month) => month.from < range.to && month.to > range.from)
    .some((month) => isCut(range.from, month) || isCut(range.to, month) || (kind === 'series' && isLocal(month)))
}
