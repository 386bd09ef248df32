import type { Clock } from '../ports/clock.ts'
import type { HotView } from '../ports/hot-store.ts'
import { type ArchiveRows, askedRows, watchedRows } from './archive-rows.ts'
import type { EventReads } from './event-reads.ts'
import { cellsKey, type KeptMinutes } from './kept-minutes.ts'
import type { MinuteResults } from './minute-results.ts'
import type { Question } from './question.ts'
import { isCellDimension } from './question-filters.ts'

/** What one answer is made from. */
export interface Sources {
  view: HotView
  eventStore: EventReads
  now: number
  /** Start of the project's first minute with an event; undefined when it is not known. */
  firstEventAt: number | undefined
  /** The archive was not heard yet: it may hold events before `firstEventAt`. */
  mayBeginEarlier: boolean
  /** The question cannot be answered for earlier times than this, epoch ms: only hours are kept of them. */
  eventsFrom: number
  /** A minute counts as closed this long after it ends, ms. */
  closeAfterMs: number
  signal: AbortSignal | undefined
}

export interface QuestionStateDependencies {
  eventStore: EventReads
  clock: Clock
  kept: KeptMinutes
}

/** What is kept of a question between its answers; thrown away after one answer unless the question is watched. */
export class QuestionState {
  readonly archive: ArchiveRows
  /** Keys of a broken-down series, and when they were chosen. */
  ranked: { keys: string[]; at: number } | undefined
  private readonly kept: KeptMinutes
  /** Held while the question is watched, so that they stay although others ask much. */
  private readonly held = new Map<string, { keys: string | undefined; results: MinuteResults }>()
  /** Of the question's filters, which never change. */
  private cells: string | undefined
  private readonly readings = new Map<string, { value: unknown; readAt: number }>()
  private readonly isWatched: boolean
  private readonly clock: Clock

  constructor({ eventStore, clock, kept }: QuestionStateDependencies, isWatched: boolean) {
    this.kept = kept
    this.isWatched = isWatched
    this.clock = clock
    this.archive = isWatched ? watchedRows(eventStore, clock) : askedRows(eventStore)
  }

  /** The question's minutes of the hot store; undefined when only raw events can answer it. */
  minutes({ project, filters, bots, breakdown }: Question, keys?: readonly string[]): MinuteResults | undefined {
    const dimension = breakdown?.dimension
    if (filters.some((filter) => !isCellDimension(filter.dimension))) return undefined
    if (dimension !== undefined && !isCellDimension(dimension)) return undefined
    const about = { project: project.id, filters, bots }
    this.cells ??= cellsKey(about)
    // Of the keys of a breakdown only the latest set is of use.
    const slot = `${dimension} ${keys ? 'some' : 'all'}`
    const held = this.held.get(slot)
    const wanted = JSON.stringify(keys)
    const same = held && held.keys === wanted ? held.results : undefined
    const results = this.kept.of(this.cells, { ...about, breakdown: dimension, keys }, same)
    if (this.isWatched) this.held.set(slot, { keys: wanted, results })
    return results
  }

  /** What `read` answers; in a watched question the last answer while it is younger than `maxAgeMs`. */
  async remembered<T>(slot: string, maxAgeMs: number, read: () => Promise<T>): Promise<T> {
    const found = this.readings.get(slot)
    if (found && this.clock.now() - found.readAt < maxAgeMs) return found.value as T
    const value = await read()
    if (this.isWatched) this.readings.set(slot, { value, readAt: this.clock.now() })
    return value
  }
}
