import type { CellDimension, DimensionFilter } from '../ports/event-store.ts'
import { CellSelection, toCellFilters } from './cell-selection.ts'
import { MinuteResults } from './minute-results.ts'

/** Bytes of results that are kept. */
const KEPT_BYTES = 128 * 1024 * 1024
/** Of an entry that holds nothing yet. */
const ENTRY_BYTES = 1000

/** Which cells a question is about, and by what they are kept apart. */
export interface MinutesRequest {
  project: string
  /** Over dimensions of cells; all must hold. */
  filters: readonly DimensionFilter[]
  bots: boolean
  breakdown: CellDimension | undefined
  /** Keys to keep apart; all when undefined. */
  keys: readonly string[] | undefined
}

/** Results by minute that questions about the same cells share, whatever their metric and range. */
export interface KeptMinutes {
  /**
   * @param cells see {@link cellsKey}
   * @param held what a watched question holds, to be shared again if it was forgotten here
   */
  of(cells: string, request: MinutesRequest, held?: MinuteResults): MinuteResults
  /** Forgets what was asked for least recently until the rest is within bounds; to be called when an answer is made. */
  settle(): void
  readonly byteLength: number
}

interface Kept {
  results: MinuteResults
  bytes: number
}

/** @param mostBytes to be kept while no answer is being made; a watched question's own are kept beyond them */
export function createKeptMinutes(mostBytes = KEPT_BYTES): KeptMinutes {
  /** The least recently asked for first. */
  const kept = new Map<string, Kept>()
  const grown = new Map<string, Kept>()
  let held = 0

  return {
    of(cells, { filters, bots, breakdown, keys }, shared) {
      const key = `${cells} ${breakdown} ${keys && JSON.stringify([...keys].sort())}`
      let found = kept.get(key)
      if (found) kept.delete(key)
      else {
        const selected = () => new CellSelection(toCellFilters(filters), bots, breakdown, keys && new Set(keys))
        found = { results: shared ?? new MinuteResults(selected()), bytes: ENTRY_BYTES + key.length * 2 }
        held += found.bytes
      }
      kept.set(key, found)
      grown.set(key, found)
      return found.results
    },
    settle() {
      for (const [key, one] of grown) {
        if (kept.get(key) !== one) continue
        const bytes = ENTRY_BYTES + key.length * 2 + one.results.byteLength
        held += bytes - one.bytes
        one.bytes = bytes
      }
      grown.clear()
      for (const [key, { bytes }] of kept) {
        if (held <= mostBytes) break
        kept.delete(key)
        held -= bytes
      }
    },
    get byteLength() {
      return held
    },
  }
}

/** Equal for questions about the same cells, in whatever order their filters were written. */
export function cellsKey({ project, filters, bots }: Pick<MinutesRequest, 'project' | 'filters' | 'bots'>): string {
  const sorted = filters.map(({ dimension, values }) => JSON.stringify([dimension, [...values].sort()])).sort()
  return JSON.stringify([project, bots, sorted])
}
