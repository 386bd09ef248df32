import type { Clock } from '../ports/clock.ts'
import type { AggregateRequest, AggregateRow } from '../ports/event-store.ts'
import type { EventReads } from './event-reads.ts'

const DAY_MS = 25 * 3_600_000
/** Late events may still change what was read: it is read again after so long. */
const RECENT_MS = 10_000
/** The same for long ranges, which cost more to read. */
const LONG_MS = 60_000

/** Reads the archive for one question; keeps what it read while the question is watched. */
export interface ArchiveRows {
  /** @param slot names the part of the question, of which the last reading is kept */
  read(slot: string, request: AggregateRequest): Promise<AggregateRow[]>
}

/** Asks the store every time. */
export function askedRows(eventStore: Pick<EventReads, 'aggregate'>): ArchiveRows {
  return { read: (_slot, request) => eventStore.aggregate(request) }
}

/** Asks the store when what it answered is old, or does not cover the request; on failure goes on with what there is. */
export function watchedRows(eventStore: Pick<EventReads, 'aggregate'>, clock: Clock): ArchiveRows {
  const kept = new Map<string, { request: AggregateRequest; rows: AggregateRow[]; readAt: number }>()
  return {
    async read(slot, request) {
      const { from, to, granularity, measures } = request
      const key = `${slot} ${measures}`
      const found = kept.get(key)
      const covers =
        found !== undefined &&
        found.request.to === to &&
        (granularity ? found.request.from <= from : found.request.from === from) &&
        found.request.keys?.join('\0') === request.keys?.join('\0')
      const maxAgeMs = to - from > DAY_MS ? LONG_MS : RECENT_MS
      if (covers && clock.now() - found.readAt < maxAgeMs) return found.rows
      try {
        const rows = await eventStore.aggregate(request)
        kept.set(key, { request, rows, readAt: clock.now() })
        return rows
      } catch (error) {
        if (covers) return found.rows
        throw error
      }
    },
  }
}
