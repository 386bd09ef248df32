import type { Clock } from '../ports/clock.ts'
import type { HotView } from '../ports/hot-store.ts'
import type { EventReads } from './event-reads.ts'

const REFRESH_MS = 60_000

/** When each project's events begin. */
export interface FirstEvents {
  /** Start of the project's first minute with an event, epoch ms; undefined without one. */
  of(project: string, view: HotView): Promise<number | undefined>
}

/** Asks the archive at most once a minute a project; the hot store answers while the archive is away or empty. */
export function createFirstEvents(eventStore: Pick<EventReads, 'firstEventAt'>, clock: Clock): FirstEvents {
  const known = new Map<string, { at: number | undefined; readAt: number }>()
  return {
    async of(project, view) {
      let found = known.get(project)
      if (!found || clock.now() - found.readAt > REFRESH_MS) {
        const at = await eventStore.firstEventAt(project).catch(() => found?.at)
        found = { at, readAt: clock.now() }
        known.set(project, found)
      }
      let first = found.at ?? Number.POSITIVE_INFINITY
      for (const minute of view.projects.get(project)?.minutes.keys() ?? []) first = Math.min(first, minute)
      return Number.isFinite(first) ? first : undefined
    },
  }
}
