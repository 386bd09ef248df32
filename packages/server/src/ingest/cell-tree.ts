import type { Cell } from '../record/cell.ts'

/**
 * Cells by their values, one level a dimension: looking short strings up one by one is cheaper than making one key of
 * them, which happens for every event.
 */
export class CellTree {
  size = 0
  private readonly root: Branch = new Map()

  get(cell: Cell): Cell | undefined {
    const names = this.root.get(cell.name) as Branch | undefined
    const countries = names?.get(cell.country) as Branch | undefined
    const devices = countries?.get(cell.device) as Branch | undefined
    const categories = devices?.get(cell.category) as Branch | undefined
    return categories?.get(rareValues(cell)) as Cell | undefined
  }

  /** Adds a cell that is not in the tree. */
  add(cell: Cell): void {
    let branch = this.root
    for (const value of [cell.name, cell.country, cell.device, cell.category]) {
      let next = branch.get(value) as Branch | undefined
      if (!next) {
        next = new Map()
        branch.set(value, next)
      }
      branch = next
    }
    branch.set(rareValues(cell), cell)
    this.size++
  }
}

type Branch = Map<string, Branch | Cell>

/** The values that most cells do not have. */
function rareValues({ hot1, hot2, unconverted }: Cell): string {
  return hot1 === '' && hot2 === '' && unconverted === '' ? '' : `${hot1}\0${hot2}\0${unconverted}`
}
