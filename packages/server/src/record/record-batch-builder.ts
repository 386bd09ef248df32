import type { Cell } from './cell.ts'
import { HAS_REVENUE, type RecordBatch } from './record-batch.ts'

/** One event on its way into a batch. */
export interface StampedEvent {
  /** See `RecordBatch.keys`. */
  key: string
  receivedAt: number
  time: number
  /** Ten-thousandths of the project's currency; undefined without a summed revenue. */
  revenue: number | undefined
  /** The same object for equal cells, so that it is looked up by identity. */
  cell: Cell
  /** The JSON object that ClickHouse takes. */
  row: string
}

/** ids 12, users 8, sessions 8, receivedAt 8, time 8, revenue 8, flags 1, cell 4, rowEnd 4 */
const COLUMN_BYTES = 61

/** Collects events into a {@link RecordBatch}; its columns double when they are full. */
export class RecordBatchBuilder {
  count = 0
  bytes = 0
  /** Three words an event; write `ids[count * 3 …]` before {@link add}. */
  ids: Uint32Array
  /** Two words an event; write before {@link add}. */
  users: Uint32Array
  /** Two words an event; write before {@link add}. */
  sessions: Uint32Array
  private keys: string[] = []
  private receivedAt: Float64Array
  private time: Float64Array
  private revenue: Float64Array
  private flags: Uint8Array
  private cell: Uint32Array
  private rowEnds: Uint32Array
  private rows: Buffer
  private cells: Cell[] = []
  private readonly cellIndexes = new Map<Cell, number>()
  private lastCell: Cell | undefined
  private lastCellIndex = 0

  /** Room for about so many events and bytes of rows at first. */
  constructor(events = 128, rowBytes = 64 * 1024) {
    this.ids = new Uint32Array(events * 3)
    this.users = new Uint32Array(events * 2)
    this.sessions = new Uint32Array(events * 2)
    this.receivedAt = new Float64Array(events)
    this.time = new Float64Array(events)
    this.revenue = new Float64Array(events)
    this.flags = new Uint8Array(events)
    this.cell = new Uint32Array(events)
    this.rowEnds = new Uint32Array(events)
    this.rows = Buffer.allocUnsafeSlow(rowBytes)
  }

  /** Appends one event whose hashes stand already at `count` in the hash columns. */
  add(event: StampedEvent): void {
    const i = this.count
    this.keys.push(event.key)
    this.receivedAt[i] = event.receivedAt
    this.time[i] = event.time
    this.revenue[i] = event.revenue ?? 0
    this.flags[i] = event.revenue === undefined ? 0 : HAS_REVENUE
    this.cell[i] = this.cellIndex(event.cell)
    const most = event.row.length * 3
    if (this.bytes + most > this.rows.byteLength) this.growRows(most)
    this.bytes += this.rows.write(event.row, this.bytes, 'utf8')
    this.rowEnds[i] = this.bytes
    this.count++
    if (this.count === this.flags.length) this.growColumns()
  }

  /** The batch so far, without copying; the builder must not be used again before {@link reset}. */
  finish(): RecordBatch {
    const n = this.count
    return {
      count: n,
      keys: this.keys,
      ids: this.ids.subarray(0, n * 3),
      receivedAt: this.receivedAt.subarray(0, n),
      time: this.time.subarray(0, n),
      users: this.users.subarray(0, n * 2),
      sessions: this.sessions.subarray(0, n * 2),
      revenue: this.revenue.subarray(0, n),
      flags: this.flags.subarray(0, n),
      cell: this.cell.subarray(0, n),
      cells: this.cells,
      rows: this.rows.subarray(0, this.bytes),
      rowEnds: this.rowEnds.subarray(0, n),
    }
  }

  /** Begins anew in the same memory: the columns and rows of the batch before are no longer its own, its cells are. */
  reset(): void {
    this.count = 0
    this.bytes = 0
    this.keys = []
    this.cells = []
    this.cellIndexes.clear()
    this.lastCell = undefined
  }

  /** Bytes of memory it holds, near enough for bounds. */
  get capacity(): number {
    return this.rows.byteLength + this.flags.length * COLUMN_BYTES
  }

  private cellIndex(cell: Cell): number {
    if (cell === this.lastCell) return this.lastCellIndex
    let index = this.cellIndexes.get(cell)
    if (index === undefined) {
      index = this.cells.push(cell) - 1
      this.cellIndexes.set(cell, index)
    }
    this.lastCell = cell
    this.lastCellIndex = index
    return index
  }

  private growColumns(): void {
    this.ids = doubled(this.ids)
    this.users = doubled(this.users)
    this.sessions = doubled(this.sessions)
    this.receivedAt = doubled(this.receivedAt)
    this.time = doubled(this.time)
    this.revenue = doubled(this.revenue)
    this.flags = doubled(this.flags)
    this.cell = doubled(this.cell)
    this.rowEnds = doubled(this.rowEnds)
  }

  private growRows(most: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.rows.byteLength * 2, this.bytes + most))
    this.rows.copy(larger, 0, 0, this.bytes)
    this.rows = larger
  }
}

function doubled<T extends Uint8Array | Uint32Array | Float64Array>(column: T): T {
  const larger = new (column.constructor as new (length: number) => T)(column.length * 2)
  larger.set(column)
  return larger
}
