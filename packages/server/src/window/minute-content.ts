import type { Cell } from '../record/cell.ts'
import type { HyperLogLog } from '../sketch/hyperloglog.ts'

/** Cells of a minute and all that they hold. */
export interface MinuteContent {
  project: string
  /** Start of the minute, epoch ms. */
  minute: number
  cells: CellContent[]
}

/** All that a store holds of a cell in one minute. */
export interface CellContent {
  cell: Cell
  events: number
  /** Ten-thousandths. */
  revenue: bigint
  /** Events with a negative revenue. */
  refunds: number
  /** Ten-thousandths, of those. */
  refundRevenue: bigint
  users: HyperLogLog | undefined
  sessions: HyperLogLog | undefined
}
