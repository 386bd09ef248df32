import { type Cell, cellFromKey } from '../../../record/cell.ts'
import { NO_EVENT, type RecordBatch } from '../../../record/record-batch.ts'
import { createCellTable } from './cell-table.ts'
import { FIXED_BYTES, HEADER_NAME, HEADER_VERSION } from './event-header.ts'
import { RecordCursor } from './record-cursor.ts'

const OPEN_BRACE = 123
const CLOSE_BRACE = 125
const SAMPLE_BYTES = 200

/** Slots that hold no event of ours, and what is wrong with the first. */
export interface ForeignSlots {
  slot: number
  count: number
  reason: string
  sample: string
}

/** The columns of a {@link RecordBatch} while its records are read into them, slot by slot. */
export class RecordColumns {
  /** When the broker took the records that are read now, epoch ms. */
  appendedAt = 0
  foreign: ForeignSlots | undefined
  private readonly slots: number
  private readonly withRows: boolean
  private readonly receivedAt: Float64Array
  private readonly time: Float64Array
  private readonly revenue: Float64Array
  private readonly ids: Uint32Array
  private readonly users: Uint32Array
  private readonly sessions: Uint32Array
  private readonly cell: Uint32Array
  private readonly rowEnds: Uint32Array
  private readonly flags: Uint8Array
  private readonly cells: Cell[] = []
  private rows: Buffer
  private rowsEnd = 0
  private slot = 0

  /** @param withRows false when only ids and received times are wanted */
  constructor(slots: number, rowBytes: number, withRows: boolean) {
    this.slots = slots
    this.withRows = withRows
    this.receivedAt = new Float64Array(slots)
    this.time = new Float64Array(slots)
    this.revenue = new Float64Array(slots)
    this.ids = new Uint32Array(slots * 3)
    this.users = new Uint32Array(slots * 2)
    this.sessions = new Uint32Array(slots * 2)
    this.cell = new Uint32Array(slots)
    this.rowEnds = new Uint32Array(slots)
    this.flags = new Uint8Array(slots)
    this.rows = Buffer.allocUnsafeSlow(withRows ? rowBytes : 0)
  }

  /** Passes over slots up to `to` (exclusive): they hold no event. */
  skipTo(to: number, reason: string, sample = ''): void {
    const until = Math.min(to, this.slots)
    if (this.slot >= until) return
    this.foreign ??= { slot: this.slot, count: 0, reason, sample }
    this.foreign.count += until - this.slot
    this.receivedAt.fill(this.appendedAt, this.slot, until)
    this.flags.fill(NO_EVENT, this.slot, until)
    this.rowEnds.fill(this.rowsEnd, this.slot, until)
    this.slot = until
  }

  /** Reads `count` records, the first of them for slot `base`. @throws RangeError when they are broken */
  read(source: Buffer, count: number, base: number): void {
    this.reserveRows(source.byteLength)
    const view = new DataView(source.buffer, source.byteOffset, source.byteLength)
    const cellTable = createCellTable(source)
    /** Places in `cells` of the cells of this source. */
    const places: number[] = []
    const record = new RecordCursor(source)
    for (let n = 0; n < count; n++) {
      record.next()
      this.skipTo(base + record.offsetDelta, 'a gap in the offsets')
      if (this.slot !== base + record.offsetDelta || this.slot >= this.slots) continue
      const reason = whyForeign(source, record)
      if (reason !== undefined) {
        this.skipTo(this.slot + 1, reason, sampleOf(source, record))
        continue
      }
      const { header } = record
      const { slot } = this
      const number = cellTable.find(header + FIXED_BYTES, header + record.headerBytes)
      if (number < 0) {
        this.skipTo(slot + 1, 'a header that is broken', sampleOf(source, record))
        continue
      }
      if (this.withRows) {
        let place = places[number]
        if (place === undefined) {
          const text = source.toString('utf8', header + FIXED_BYTES, header + record.headerBytes)
          place = this.cells.push(cellFromKey(text)) - 1
          places[number] = place
        }
        this.cell[slot] = place
        this.flags[slot] = (source[header + 1] as number) & ~NO_EVENT
        this.time[slot] = view.getFloat64(header + 10, true)
        this.revenue[slot] = view.getFloat64(header + 18, true)
        this.users[slot * 2] = view.getUint32(header + 38, true)
        this.users[slot * 2 + 1] = view.getUint32(header + 42, true)
        this.sessions[slot * 2] = view.getUint32(header + 46, true)
        this.sessions[slot * 2 + 1] = view.getUint32(header + 50, true)
        source.copy(this.rows, this.rowsEnd, record.value, record.value + record.valueBytes)
        this.rowsEnd += record.valueBytes
      }
      this.receivedAt[slot] = view.getFloat64(header + 2, true)
      this.ids[slot * 3] = view.getUint32(header + 26, true)
      this.ids[slot * 3 + 1] = view.getUint32(header + 30, true)
      this.ids[slot * 3 + 2] = view.getUint32(header + 34, true)
      this.rowEnds[slot] = this.rowsEnd
      this.slot++
    }
  }

  finish(): RecordBatch {
    this.skipTo(this.slots, 'a gap in the offsets')
    const { ids, receivedAt, time, users, sessions, revenue, flags, cell, cells, rowEnds } = this
    const rows = this.rows.subarray(0, this.rowsEnd)
    const columns = { ids, receivedAt, time, users, sessions, revenue, flags, cell, cells, rows, rowEnds }
    return { count: this.slots, keys: [], ...columns }
  }

  private reserveRows(bytes: number): void {
    if (!this.withRows || this.rowsEnd + bytes <= this.rows.byteLength) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.rows.byteLength * 2, this.rowsEnd + bytes))
    this.rows.copy(larger, 0, 0, this.rowsEnd)
    this.rows = larger
  }
}

/** Why a record is no event of ours; undefined when it is one. */
function whyForeign(source: Buffer, { header, value, valueBytes }: RecordCursor): string | undefined {
  if (header < 0) return `no header ${HEADER_NAME}`
  if (source[header] !== HEADER_VERSION) {
    return `a header of version ${source[header]}; this server reads ${HEADER_VERSION}`
  }
  // Rows are never parsed again, but without its braces one could spoil its neighbours.
  const isObject = valueBytes >= 2 && source[value] === OPEN_BRACE && source[value + valueBytes - 1] === CLOSE_BRACE
  return isObject ? undefined : 'no JSON object'
}

function sampleOf(source: Buffer, { value, valueBytes }: RecordCursor): string {
  return source.toString('utf8', value, value + Math.min(Math.max(valueBytes, 0), SAMPLE_BYTES))
}
