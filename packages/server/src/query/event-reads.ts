import type { AggregateRequest, AggregateRow, EventStore } from '../ports/event-store.ts'
import type { ReadGate } from './read-gate.ts'

/** What questions read of the archive. */
export type EventReads = Pick<EventStore, 'aggregate' | 'excluded' | 'recent' | 'funnel' | 'firstEventAt'>

/** Values that are kept of closed ranges, all together. */
const KEPT_VALUES = 500_000
/** Shorter readings cost no more than asking whether they still hold. */
const LEAST_MS = 2 * 3_600_000
const ROW_VALUES = 3

/** The archive through the gate, each reading when it is its project's turn. */
export function gatedReads(eventStore: EventReads, gate: ReadGate): EventReads {
  return {
    aggregate: (request) => gate.run(request.project, () => eventStore.aggregate(request), request.signal),
    funnel: (request) => gate.run(request.project, () => eventStore.funnel(request), request.signal),
    excluded: (selection, signal) => gate.run(selection.project, () => eventStore.excluded(selection, signal), signal),
    recent: (selection, limit, signal) =>
      gate.run(selection.project, () => eventStore.recent(selection, limit, signal), signal),
    firstEventAt: (project) => eventStore.firstEventAt(project),
  }
}

interface Kept {
  revision: string
  rows: AggregateRow[]
  values: number
}

/**
 * Keeps what was read of long ranges, the least recently asked for forgotten first, and answers with it as long as the
 * archive says that no event of the range has come since.
 */
export function keptReads(
  eventStore: Pick<EventStore, 'aggregate' | 'revision'>,
  mostValues = KEPT_VALUES,
): Pick<EventStore, 'aggregate'> {
  const kept = new Map<string, Kept>()
  let held = 0

  function forget(key: string): void {
    held -= kept.get(key)?.values ?? 0
    kept.delete(key)
  }

  function keep(key: string, revision: string, rows: AggregateRow[]): void {
    forget(key)
    const values = 1 + rows.reduce((sum, row) => sum + row.values.length + ROW_VALUES, 0)
    if (values > mostValues / 4) return
    kept.set(key, { revision, rows, values })
    held += values
    for (const oldest of kept.keys()) {
      if (held <= mostValues) break
      forget(oldest)
    }
  }

  return {
    async aggregate({ signal, ...request }: AggregateRequest) {
      if (request.to - request.from < LEAST_MS) return eventStore.aggregate({ ...request, signal })
      // Before the reading: what comes while it runs makes the next one read again.
      const revision = await eventStore.revision(request.from, request.to).catch(() => undefined)
      const key = JSON.stringify(request)
      const found = kept.get(key)
      if (found && found.revision === revision) {
        kept.delete(key)
        kept.set(key, found)
        return found.rows
      }
      const rows = await eventStore.aggregate({ ...request, signal })
      if (revision !== undefined) keep(key, revision, rows)
      return rows
    },
  }
}
