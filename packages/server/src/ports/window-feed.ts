import type { Cell } from '../record/cell.ts'
import type { CellContent } from '../window/minute-content.ts'

/** Where a counting job began in a partition of the log, and up to where it has counted. */
export interface CountedPartition {
  partition: number
  first: number
  next: number
  /** When the first and the last of these records were appended, epoch ms, to the second. */
  firstAt: number
  lastAt: number
}

/** What is said of one key; a later row of the same key takes its place. */
export type WindowRow = { offset: number } & WindowStatement

export type WindowStatement =
  | { kind: 'minute'; minute: number; content: CellContent }
  | { kind: 'second'; second: number; cell: Cell; events: number }
  /** Another generation: the job began to count anew. */
  | { kind: 'positions'; generation: string; partitions: readonly CountedPartition[] }

/** Rows in their order, and where they end. */
export interface WindowSlice {
  to: number
  rows: WindowRow[]
  /** All that was committed is read: the rows up to here belong to positions that are told with them. */
  isWhole: boolean
}

/** Windows that somebody else counts out of the log, transaction by transaction: a topic that Flink writes. */
export interface WindowFeed {
  /** Its name, for people. */
  readonly name: string
  /** Tells this feed from an earlier one of the same name: a positive 32-bit integer. */
  readonly epoch: number
  start(): Promise<void>
  stop(): Promise<void>
  /** Where it begins today. */
  beginning(): Promise<number>
  /**
   * The next committed rows from this offset on; waits a moment when there are none.
   * @throws NowcastError `log_unavailable`
   */
  read(from: number): Promise<WindowSlice>
}
