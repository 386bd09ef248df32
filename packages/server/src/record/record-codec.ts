import { type Cell, cellFromKey, cellKey } from './cell.ts'
import type { RecordBatch } from './record-batch.ts'

const VERSION = 1
/** version, count, bytes of the cells, bytes of the rows: four 32-bit words. */
const HEADER_BYTES = 16
/** receivedAt 8, time 8, revenue 8, ids 12, users 8, sessions 8, cell 4, rowEnd 4, flags 1 */
const EVENT_BYTES = 61

/**
 * A batch as bytes: header, then the columns in falling order of their element's size (so that each is aligned), the
 * cells' keys parted by U+0001, the rows. Little-endian, as every machine Node runs on.
 */
export function encodeBatch(batch: RecordBatch): Buffer {
  const n = batch.count
  const cells = Buffer.from(batch.cells.map(cellKey).join('\u0001'), 'utf8')
  const out = Buffer.allocUnsafeSlow(HEADER_BYTES + n * EVENT_BYTES + cells.byteLength + batch.rows.byteLength)
  out.writeUInt32LE(VERSION, 0)
  out.writeUInt32LE(n, 4)
  out.writeUInt32LE(cells.byteLength, 8)
  out.writeUInt32LE(batch.rows.byteLength, 12)
  let at = HEADER_BYTES
  const put = (column: Uint8Array | Uint32Array | Float64Array) => {
    out.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), at)
    at += column.byteLength
  }
  put(batch.receivedAt)
  put(batch.time)
  put(batch.revenue)
  put(batch.ids)
  put(batch.users)
  put(batch.sessions)
  put(batch.cell)
  put(batch.rowEnds)
  put(batch.flags)
  put(cells)
  put(batch.rows)
  return out
}

/**
 * The batch of {@link encodeBatch}. Its columns are views of one copy of `bytes`.
 * @throws RangeError when the bytes are of another version or cut short.
 */
export function decodeBatch(bytes: Uint8Array): RecordBatch {
  // A copy, because the columns need alignment and the log's pages are reused.
  return viewBatch(Uint8Array.prototype.slice.call(bytes))
}

/**
 * The batch of {@link encodeBatch}, its columns views of `block` itself, which must begin at a multiple of 8 bytes.
 * @param knownCells the batch's cells, where they are at hand
 * @throws RangeError when the bytes are of another version or cut short.
 */
export function viewBatch(block: Uint8Array, knownCells?: Cell[]): RecordBatch {
  const { buffer, byteOffset, byteLength } = block
  const head = new Uint32Array(buffer, byteOffset, 4)
  const [version, n = 0, cellBytes = 0, rowBytes = 0] = head
  if (version !== VERSION) throw new RangeError(`log block has version ${version}, this server reads ${VERSION}`)
  const size = HEADER_BYTES + n * EVENT_BYTES + cellBytes + rowBytes
  if (byteLength !== size) throw new RangeError(`log block has ${byteLength} bytes, its header says ${size}`)
  let at = byteOffset + HEADER_BYTES
  const floats = () => {
    const column = new Float64Array(buffer, at, n)
    at += n * 8
    return column
  }
  const words = (each: number) => {
    const column = new Uint32Array(buffer, at, n * each)
    at += n * each * 4
    return column
  }
  const raw = (length: number) => {
    const column = new Uint8Array(buffer, at, length)
    at += length
    return column
  }
  const receivedAt = floats()
  const time = floats()
  const revenue = floats()
  const ids = words(3)
  const users = words(2)
  const sessions = words(2)
  const cell = words(1)
  const rowEnds = words(1)
  const flags = raw(n)
  const cellKeys = raw(cellBytes)
  const cells = knownCells ?? decodeCells(cellKeys)
  const rows = raw(rowBytes)
  return { count: n, keys: [], ids, receivedAt, time, users, sessions, revenue, flags, cell, cells, rows, rowEnds }
}

function decodeCells(bytes: Uint8Array): Cell[] {
  if (bytes.byteLength === 0) return []
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8').split('\u0001').map(cellFromKey)
}
