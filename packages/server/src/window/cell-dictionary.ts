import { type Cell, cellKey } from '../record/cell.ts'

/** Gives the cells of one project small numbers, so that windows and filters are arrays. */
export class CellDictionary {
  /** Cell of each id; undefined where an id is free. */
  readonly cells: (Cell | undefined)[] = []
  /** Grows when a freed id is given to another cell: what was derived from ids before is void. */
  generation = 0
  private readonly ids = new Map<string, number>()
  private readonly references: number[] = []
  private readonly free: number[] = []

  /** Id of a cell that is in use. */
  idOf(key: string): number | undefined {
    return this.ids.get(key)
  }

  /** Id of a cell, new if need be; to be released as often as it was acquired. */
  acquire(key: string, cell: Cell): number {
    let id = this.ids.get(key)
    if (id === undefined) {
      const reused = this.free.pop()
      if (reused !== undefined) this.generation++
      id = reused ?? this.cells.length
      this.ids.set(key, id)
      this.cells[id] = cell
      this.references[id] = 0
    }
    this.references[id] = (this.references[id] as number) + 1
    return id
  }

  release(id: number): void {
    const left = (this.references[id] as number) - 1
    this.references[id] = left
    if (left > 0) return
    this.ids.delete(cellKey(this.cells[id] as Cell))
    this.cells[id] = undefined
    this.free.push(id)
  }
}
