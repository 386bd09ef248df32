import { cellKey } from '../../../record/cell.ts'
import type { RecordBatch } from '../../../record/record-batch.ts'
import { crc32c } from '../wire/crc32c.ts'
import { SpareBuffers } from '../wire/spare-buffers.ts'
import { type Compression, compress } from './compression.ts'
import { BATCH, BATCH_HEADER_BYTES, BEFORE_LENGTH, FIXED_BYTES, HEADER_NAME, HEADER_VERSION } from './event-header.ts'
import { sizeOfVarint, writeVarint } from './varint.ts'

/** Varints and lengths of one record, at most. */
const RECORD_OVERHEAD = 40

/** Some events of a batch as Kafka takes them. */
export interface EncodedRecords {
  bytes: Buffer
  /** Index of the first event that is not in it. */
  to: number
}

/** Encodes batches of events; keeps the bytes of a batch's cells between its pieces. */
export interface RecordEncoder {
  /** Encodes events from index `from` on, as many as fit into `maxBytes` before compression, at least one. */
  encode(batch: RecordBatch, from: number, maxBytes: number): Promise<EncodedRecords>
  /** To be called with bytes that nobody needs any more: their memory is used again. */
  release(bytes: Buffer): void
}

/** An encoder of Kafka's record batches that makes no object per record. */
export function createRecordEncoder(compression: Compression = 'none'): RecordEncoder {
  let cellsOf: RecordBatch | undefined
  let cells: Buffer[] = []
  const spare = new SpareBuffers()

  async function encode(batch: RecordBatch, from: number, maxBytes: number): Promise<EncodedRecords> {
    if (cellsOf !== batch) {
      cellsOf = batch
      cells = batch.cells.map((cell) => Buffer.from(cellKey(cell)))
    }
    const to = fitting(batch, from, maxBytes)
    let bytes = spare.take(BATCH_HEADER_BYTES + mostBytes(batch, from, to))
    let end = writeRecords(bytes, batch, from, to)
    if (compression !== 'none') {
      const packed = await compress(compression, bytes.subarray(BATCH_HEADER_BYTES, end))
      end = BATCH_HEADER_BYTES + packed.byteLength
      spare.put(bytes)
      bytes = spare.take(end)
      bytes.set(packed, BATCH_HEADER_BYTES)
    }
    writeBatchHeader(bytes, end, batch.receivedAt[from] as number, to - from)
    return { bytes: bytes.subarray(0, end), to }
  }

  /** Index behind the last event that fits. */
  function fitting(batch: RecordBatch, from: number, maxBytes: number): number {
    let size = BATCH_HEADER_BYTES
    let to = from
    while (to < batch.count) {
      size += mostBytes(batch, to, to + 1)
      if (size > maxBytes && to > from) break
      to++
    }
    return to
  }

  /** Bytes that the records of events `[from, to)` take at most. */
  function mostBytes({ rowEnds, keys, cell }: RecordBatch, from: number, to: number): number {
    let size = (rowEnds[to - 1] as number) - (from === 0 ? 0 : (rowEnds[from - 1] as number))
    for (let i = from; i < to; i++) {
      size += RECORD_OVERHEAD + FIXED_BYTES + (keys[i] ?? '').length * 3 + (cells[cell[i] as number] as Buffer).length
    }
    return size
  }

  function writeRecords(out: Buffer, batch: RecordBatch, from: number, to: number): number {
    const { rowEnds, keys, ids, users, sessions, receivedAt, time, revenue, flags, cell } = batch
    const rows = Buffer.from(batch.rows.buffer, batch.rows.byteOffset, batch.rows.byteLength)
    const view = new DataView(out.buffer, out.byteOffset, out.byteLength)
    let at = BATCH_HEADER_BYTES
    let rowStart = from === 0 ? 0 : (rowEnds[from - 1] as number)
    for (let i = from; i < to; i++) {
      const rowEnd = rowEnds[i] as number
      const rowBytes = rowEnd - rowStart
      const cellBytes = cells[cell[i] as number] as Buffer
      const headerBytes = FIXED_BYTES + cellBytes.length
      const key = keys[i] as string
      const encodedKey = isAscii(key) ? undefined : Buffer.from(key)
      const keyBytes = encodedKey ? encodedKey.length : key.length
      const size =
        4 +
        HEADER_NAME.length +
        sizeOfVarint(i - from) +
        sizeOfVarint(keyBytes) +
        keyBytes +
        sizeOfVarint(rowBytes) +
        rowBytes +
        sizeOfVarint(headerBytes) +
        headerBytes
      at = writeVarint(out, at, size)
      out[at++] = 0 // attributes
      out[at++] = 0 // time since the batch's
      at = writeVarint(out, at, i - from)
      at = writeVarint(out, at, keyBytes)
      if (encodedKey) out.set(encodedKey, at)
      else for (let k = 0; k < keyBytes; k++) out[at + k] = key.charCodeAt(k)
      at += keyBytes
      at = writeVarint(out, at, rowBytes)
      rows.copy(out, at, rowStart, rowEnd)
      at += rowBytes
      rowStart = rowEnd
      out[at++] = 2 // one header
      out[at++] = HEADER_NAME.length << 1
      for (let k = 0; k < HEADER_NAME.length; k++) out[at++] = HEADER_NAME[k] as number
      at = writeVarint(out, at, headerBytes)
      out[at] = HEADER_VERSION
      out[at + 1] = flags[i] as number
      view.setFloat64(at + 2, receivedAt[i] as number, true)
      view.setFloat64(at + 10, time[i] as number, true)
      view.setFloat64(at + 18, revenue[i] as number, true)
      view.setUint32(at + 26, ids[i * 3] as number, true)
      view.setUint32(at + 30, ids[i * 3 + 1] as number, true)
      view.setUint32(at + 34, ids[i * 3 + 2] as number, true)
      view.setUint32(at + 38, users[i * 2] as number, true)
      view.setUint32(at + 42, users[i * 2 + 1] as number, true)
      view.setUint32(at + 46, sessions[i * 2] as number, true)
      view.setUint32(at + 50, sessions[i * 2 + 1] as number, true)
      at += FIXED_BYTES
      for (let k = 0; k < cellBytes.length; k++) out[at + k] = cellBytes[k] as number
      at += cellBytes.length
    }
    return at
  }

  function writeBatchHeader(out: Buffer, end: number, timestamp: number, count: number): void {
    out.fill(0, 0, BATCH.length)
    out.writeInt32BE(end - BEFORE_LENGTH, BATCH.length)
    out.writeInt32BE(-1, BATCH.leaderEpoch)
    out[BATCH.magic] = 2
    out.writeInt16BE({ none: 0, gzip: 1, zstd: 4 }[compression], BATCH.attributes)
    out.writeInt32BE(count - 1, BATCH.lastOffsetDelta)
    out.writeBigInt64BE(BigInt(timestamp), BATCH.baseTimestamp)
    out.writeBigInt64BE(BigInt(timestamp), BATCH.maxTimestamp)
    // No producer id: not idempotent, not in a transaction.
    out.fill(255, BATCH.producerId, BATCH.count)
    out.writeInt32BE(count, BATCH.count)
    out.writeUInt32BE(crc32c(out, BATCH.attributes, end), BATCH.crc)
  }

  return { encode, release: (bytes) => spare.put(bytes) }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false
  return true
}
