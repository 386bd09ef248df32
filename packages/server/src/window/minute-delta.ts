import type { Cell } from '../record/cell.ts'

/** What one flush adds to a cell of a minute. Sums are integers below 2⁵³. */
export interface CellDelta {
  cell: Cell
  events: number
  /** Ten-thousandths. */
  revenue: number
  /** Events with a negative revenue. */
  refunds: number
  /** Ten-thousandths, of those. */
  refundRevenue: number
  /** 64-bit hashes, low and high word each. */
  users: number[]
  /** 64-bit hashes, low and high word each. */
  sessions: number[]
}

export interface MinuteDelta {
  project: string
  /** Start of the minute, epoch ms. */
  minute: number
  cells: CellDelta[]
}

/** Events of a cell received in one second. */
export interface SecondDelta {
  /** Start of the second, epoch ms. */
  second: number
  cell: Cell
  events: number
}
