import { OTHER } from '@nowcast/protocol'
import type { CellDimension, DimensionFilter } from '../ports/event-store.ts'
import type { Cell } from '../record/cell.ts'
import type { CellDictionary } from '../window/cell-dictionary.ts'

/** What a cell's events are, by their name. */
const NAME_CLASS: Record<string, number> = { page_view: 1, click: 2, purchase: 3, error: 4 }
export const PURCHASE = 3

export interface CellFilter {
  dimension: CellDimension
  values: ReadonlySet<string>
}

/** Filters as sets; only over dimensions that cells have. */
export function toCellFilters(filters: readonly DimensionFilter[]): CellFilter[] {
  return filters.map(({ dimension, values }) => ({ dimension: dimension as CellDimension, values: new Set(values) }))
}

/** Which cells of a project a question is about, and which key of the breakdown each belongs to, by cell id. */
export class CellSelection {
  /** 1 for cells that count. */
  mask = new Uint8Array(0)
  /** Place of the cell's key in `keys`. */
  group = new Uint32Array(0)
  /** See {@link NAME_CLASS}; 0 for other names. */
  nameClass = new Uint8Array(0)
  /** 1 for purchases whose revenue is summed. */
  orders = new Uint8Array(0)
  readonly keys: string[] = []
  private readonly groupByKey = new Map<string, number>()
  private readonly filters: CellFilter[]
  private readonly bots: boolean
  private readonly breakdown: CellDimension | undefined
  private readonly kept: ReadonlySet<string> | undefined
  private dictionary: CellDictionary | undefined
  private generation = -1
  private known = 0

  /** @param kept keys of the breakdown to keep apart; all others become `(other)`. All are kept when undefined. */
  constructor(filters: CellFilter[], bots: boolean, breakdown?: CellDimension, kept?: ReadonlySet<string>) {
    this.filters = filters
    this.bots = bots
    this.breakdown = breakdown
    this.kept = kept
    if (!breakdown) this.keys.push('')
  }

  /** Bytes of the arrays and keys, about. */
  get byteLength(): number {
    return this.mask.length * 7 + this.keys.length * 100
  }

  /** Forgets all cells and keys: groups are numbered anew. */
  clear(): void {
    this.dictionary = undefined
    this.keys.length = 0
    this.groupByKey.clear()
    if (!this.breakdown) this.keys.push('')
  }

  /** Takes in cells that the dictionary got since the last call. */
  update(dictionary: CellDictionary): void {
    if (dictionary !== this.dictionary || dictionary.generation !== this.generation) {
      this.dictionary = dictionary
      this.generation = dictionary.generation
      this.known = 0
    }
    const { cells } = dictionary
    if (this.mask.length < cells.length) {
      const size = Math.max(64, cells.length * 2)
      this.mask = grown(this.mask, new Uint8Array(size))
      this.group = grown(this.group, new Uint32Array(size))
      this.nameClass = grown(this.nameClass, new Uint8Array(size))
      this.orders = grown(this.orders, new Uint8Array(size))
    }
    for (let id = this.known; id < cells.length; id++) this.classify(id, cells[id])
    this.known = cells.length
  }

  private classify(id: number, cell: Cell | undefined): void {
    this.mask[id] = cell && this.matches(cell) ? 1 : 0
    if (!cell || !this.mask[id]) return
    this.nameClass[id] = NAME_CLASS[cell.name] ?? 0
    this.orders[id] = this.nameClass[id] === PURCHASE && cell.unconverted === '' ? 1 : 0
    this.group[id] = this.breakdown ? this.groupOf(cell[this.breakdown]) : 0
  }

  private groupOf(value: string): number {
    const key = this.kept && !this.kept.has(value) ? OTHER : value
    let group = this.groupByKey.get(key)
    if (group === undefined) {
      group = this.keys.push(key) - 1
      this.groupByKey.set(key, group)
    }
    return group
  }

  private matches(cell: Cell): boolean {
    if (!this.bots && cell.device === 'bot') return false
    return this.filters.every(({ dimension, values }) => values.has(cell[dimension]))
  }
}

function grown<T extends Uint8Array | Uint32Array>(old: T, larger: T): T {
  larger.set(old)
  return larger
}
