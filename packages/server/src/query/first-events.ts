import type { Clock } from '../ports/clock.ts'
import type { ProjectWindows } from '../window/window-cube.ts'
import type { EventReads } from './event-reads.ts'

const REFRESH_MS = 60_000
/** The same while the archive is away. */
const RETRY_MS = 5000

/** What the archive has said of a project. */
export interface ArchivedBeginning {
  /** Start of the first minute with an event, epoch ms; undefined without one. */
  at: number | undefined
  /** It has said so; before that it may hold any event. */
  wasHeard: boolean
}

/** When each project's events begin. */
export interface FirstEvents {
  of(project: string): Promise<ArchivedBeginning>
}

/** Asks the archive at most once a minute a project; goes on with what it said while it is away. */
export function createFirstEvents(eventStore: Pick<EventReads, 'firstEventAt'>, clock: Clock): FirstEvents {
  const known = new Map<string, ArchivedBeginning & { askAgainAt: number }>()
  return {
    async of(project) {
      const before = known.get(project)
      if (before && clock.now() < before.askAgainAt) return before
      const found = await eventStore.firstEventAt(project).then(
        (at) => ({ at, wasHeard: true, askAgainAt: clock.now() + REFRESH_MS }),
        () => ({ at: before?.at, wasHeard: before?.wasHeard ?? false, askAgainAt: clock.now() + RETRY_MS }),
      )
      known.set(project, found)
      return found
    },
  }
}

/** Start of the first minute with an event, epoch ms, in the archive or live; undefined without one. */
export function firstEventOf({ at }: ArchivedBeginning, windows: ProjectWindows | undefined): number | undefined {
  let first = at ?? Number.POSITIVE_INFINITY
  for (const minute of windows?.minutes.keys() ?? []) first = Math.min(first, minute)
  return Number.isFinite(first) ? first : undefined
}
