import type { Clock } from '../ports/clock.ts'
import type { Measure } from '../ports/event-store.ts'
import type { HotView } from '../ports/hot-store.ts'
import { type ArchiveRows, askedRows, watchedRows } from './archive-rows.ts'
import { CellSelection, toCellFilters } from './cell-selection.ts'
import type { EventReads } from './event-reads.ts'
import { MinuteResults } from './minute-results.ts'
import type { Question } from './question.ts'
import { isCellDimension } from './question-filters.ts'

/** What one answer is made from. */
export interface Sources {
  view: HotView
  eventStore: EventReads
  now: number
  /** Start of the project's first minute with an event; undefined when it is not known. */
  firstEventAt: number | undefined
  /** A minute counts as closed this long after it ends, ms. */
  closeAfterMs: number
  signal: AbortSignal | undefined
}

/** What is kept of a question between its answers; thrown away after one answer unless the question is watched. */
export class QuestionState {
  readonly archive: ArchiveRows
  /** Keys of a broken-down series, and when they were chosen. */
  ranked: { keys: string[]; at: number } | undefined
  private readonly results = new Map<string, MinuteResults>()
  private readonly readings = new Map<string, { value: unknown; readAt: number }>()
  private readonly isWatched: boolean
  private readonly clock: Clock

  constructor(eventStore: EventReads, clock: Clock, isWatched: boolean) {
    this.isWatched = isWatched
    this.clock = clock
    this.archive = isWatched ? watchedRows(eventStore, clock) : askedRows(eventStore)
  }

  /** The question's minutes of the hot store; undefined when only raw events can answer it. */
  minutes(question: Question, measures: readonly Measure[], keys?: readonly string[]): MinuteResults | undefined {
    const { filters, bots, breakdown } = question
    const dimension = breakdown?.dimension
    if (filters.some((filter) => !isCellDimension(filter.dimension))) return undefined
    if (dimension !== undefined && !isCellDimension(dimension)) return undefined
    const slot = `${measures} ${keys?.join('\0') ?? '*'}`
    let results = this.results.get(slot)
    if (!results) {
      // Only the latest set of keys is of use.
      for (const old of this.results.keys())
        if (keys && old.startsWith(`${measures} `) && !old.endsWith(' *')) this.results.delete(old)
      const kept = keys && new Set(keys)
      results = new MinuteResults(new CellSelection(toCellFilters(filters), bots, dimension, kept), measures)
      this.results.set(slot, results)
    }
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
