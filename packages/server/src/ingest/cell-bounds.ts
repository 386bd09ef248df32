import { NONE, OTHER, STANDARD_EVENTS } from '@nowcast/protocol'
import type { Clock } from '../ports/clock.ts'
import type { Cell } from '../record/cell.ts'
import { CellTree } from './cell-tree.ts'

const DAY_MS = 24 * 3_600_000

export interface CellBoundsOptions {
  /** Values of one dimension of a project that are kept apart in a day. @default 10000 */
  valuesPerDimension?: number
  /** Cells of a project that are kept apart in a day; as many again with `(other)` category. @default 20000 */
  cellsPerProject?: number
}

/** Gives every event its cell, with `(other)` for values beyond the bounds. */
export interface CellBounds {
  /** The one object for that combination of values; `cell` itself is not kept. */
  cellOf(cell: Cell): Cell
  /** How often something was counted under `(other)` since the start. */
  readonly folded: number
}

interface ProjectBounds {
  cells: CellTree
  values: Record<'name' | 'country' | 'category' | 'hot1' | 'hot2', Set<string>>
}

const BOUNDED = ['name', 'country', 'category', 'hot1', 'hot2'] as const
const STANDARD: readonly string[] = STANDARD_EVENTS

/**
 * Bounds of today (UTC, received time) per project. Beyond `cellsPerProject`, category and the project's own dimensions
 * become `(other)`; beyond twice that, everything but device and the standard names does.
 */
export function createCellBounds(clock: Clock, options: CellBoundsOptions = {}): CellBounds {
  const { valuesPerDimension = 10_000, cellsPerProject = 20_000 } = options
  let projects = new Map<string, ProjectBounds>()
  let day = -1
  let folded = 0

  function boundsOf(project: string): ProjectBounds {
    let bounds = projects.get(project)
    if (!bounds) {
      const values = {
        name: new Set<string>(STANDARD),
        country: new Set<string>(),
        category: new Set<string>(),
        hot1: new Set<string>(),
        hot2: new Set<string>(),
      }
      bounds = { cells: new CellTree(), values }
      projects.set(project, bounds)
    }
    return bounds
  }

  function fold(bounds: ProjectBounds, cell: Cell): Cell {
    const kept = { ...cell }
    for (const dimension of BOUNDED) {
      const seen = bounds.values[dimension]
      const value = cell[dimension]
      if (value === '' || value === NONE || seen.has(value)) continue
      if (seen.size < valuesPerDimension) seen.add(value)
      else kept[dimension] = OTHER
    }
    if (bounds.cells.size >= cellsPerProject && !bounds.cells.get(kept)) {
      kept.category = OTHER
      if (kept.hot1) kept.hot1 = OTHER
      if (kept.hot2) kept.hot2 = OTHER
    }
    if (bounds.cells.size >= cellsPerProject * 2 && !bounds.cells.get(kept)) {
      kept.country = OTHER
      if (!STANDARD.includes(kept.name)) kept.name = OTHER
    }
    return kept
  }

  return {
    get folded() {
      return folded
    },
    cellOf(cell) {
      const bounds = boundsOf(cell.project)
      const known = bounds.cells.get(cell)
      if (known) return known
      const today = Math.floor(clock.now() / DAY_MS)
      if (today !== day) {
        day = today
        projects = new Map()
        return this.cellOf(cell)
      }
      const kept = fold(bounds, cell)
      if (BOUNDED.some((dimension) => kept[dimension] !== cell[dimension])) folded++
      let interned = bounds.cells.get(kept)
      if (!interned) {
        interned = kept
        bounds.cells.add(interned)
      }
      return interned
    },
  }
}
