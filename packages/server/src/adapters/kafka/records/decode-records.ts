import { type Cell, cellFromKey } from '../../../record/cell.ts'
import { NO_EVENT, type RecordBatch } from '../../../record/record-batch.ts'
import { crc32c } from '../wire/crc32c.ts'
import { createCellTable } from './cell-table.ts'
import { decompress } from './compression.ts'
import {
  BATCH,
  BATCH_HEADER_BYTES,
  BEFORE_LENGTH,
  FIXED_BYTES,
  HEADER_NAME,
  HEADER_VERSION,
} from './event-header.ts'

/** Slots of one decoded batch, about: a gap in the offsets may be longer than memory allows. */
const MAX_SLOTS = 65_536
const TRANSACTIONAL = 16
const CONTROL = 32

/** Offsets that hold no event of ours. */
export interface ForeignRecords {
  /** The first of them. */
  offset: number
  count: number
  /** What is wrong with the first one. */
  reason: string
  /** The beginning of the first one's value. */
  sample: string
}

export interface DecodedRecords {
  offset: number
  batch: RecordBatch
  foreign: ForeignRecords | undefined
}

/** A batch whose bytes are not those that the broker was given. */
export class CorruptRecordsError extends Error {
  override name = 'CorruptRecordsError'
}

interface Frame {
  at: number
  end: number
  base: number
  /** Offset behind its last one. */
  next: number
}

/**
 * Decodes what a fetch from offset `from` brought, without an object per record. Every offset from the first on has its
 * place in the batch; one that holds no event of ours (a gap, a control record, somebody else's record) is a slot with
 * {@link NO_EVENT}, so that places and offsets stay in step. For `identities` alone, only ids and received times are set.
 *
 * @returns undefined when not one whole batch is there
 * @throws CorruptRecordsError when a checksum is wrong
 */
export function decodeRecords(
  bytes: Buffer,
  from: number,
  wanted: 'events' | 'identities' = 'events',
): DecodedRecords | undefined {
  const frames = framesOf(bytes)
  const first = frames[0]
  if (!first) return undefined
  const start = Math.min(from, first.base)
  let last = first
  for (const frame of frames) {
    if (frame.next - start > MAX_SLOTS && frame !== first) break
    last = frame
  }
  // A gap before the first batch that is too long is given in parts.
  const end = first.base - start > MAX_SLOTS ? start + MAX_SLOTS : last.next
  const columns = createColumns(end - start, bytes.byteLength, wanted === 'events')
  for (const frame of frames) {
    if (frame.base >= end) break
    readFrame(bytes, frame, start, columns)
  }
  return { offset: start, batch: columns.finish(), foreign: columns.foreign(start) }
}

/** Whole batches; the last one of a fetch may be cut. */
function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = []
  let at = 0
  while (at + BATCH_HEADER_BYTES <= bytes.byteLength) {
    const end = at + BEFORE_LENGTH + bytes.readInt32BE(at + BATCH.length)
    if (end > bytes.byteLength || end <= at) break
    const base = Number(bytes.readBigInt64BE(at + BATCH.baseOffset))
    const isKnown = bytes[at + BATCH.magic] === 2
    frames.push({ at, end, base, next: base + (isKnown ? bytes.readInt32BE(at + BATCH.lastOffsetDelta) : 0) + 1 })
    at = end
  }
  return frames
}

type Columns = ReturnType<typeof createColumns>

function readFrame(bytes: Buffer, frame: Frame, start: number, columns: Columns): void {
  const { at, end, base, next } = frame
  if (bytes[at + BATCH.magic] !== 2) return columns.skipTo(next - start, 'a message of an old format', '')
  if (crc32c(bytes, at + BATCH.attributes, end) !== bytes.readUInt32BE(at + BATCH.crc)) {
    throw new CorruptRecordsError(`the records at offset ${base} have a wrong checksum`)
  }
  columns.appendedAt = Number(bytes.readBigInt64BE(at + BATCH.maxTimestamp))
  columns.skipTo(base - start, 'a gap in the offsets', '')
  const attributes = bytes.readInt16BE(at + BATCH.attributes)
  if (attributes & CONTROL) return columns.skipTo(next - start, 'a control record', '')
  // We never write in a transaction, and do not wait for the end of anybody's.
  if (attributes & TRANSACTIONAL) return columns.skipTo(next - start, 'a record of a transaction', '')
  const packed = bytes.subarray(at + BATCH_HEADER_BYTES, end)
  try {
    columns.readAll(decompress(attributes, packed), bytes.readInt32BE(at + BATCH.count), base - start)
  } catch (error) {
    return columns.skipTo(next - start, (error as Error).message, '')
  }
  columns.skipTo(next - start, 'a gap in the offsets', '')
}

function createColumns(slots: number, rowBytes: number, withRows: boolean) {
  const receivedAt = new Float64Array(slots)
  const time = new Float64Array(slots)
  const revenue = new Float64Array(slots)
  const ids = new Uint32Array(slots * 3)
  const users = new Uint32Array(slots * 2)
  const sessions = new Uint32Array(slots * 2)
  const cell = new Uint32Array(slots)
  const rowEnds = new Uint32Array(slots)
  const flags = new Uint8Array(slots)
  const cells: Cell[] = []
  let rows = Buffer.allocUnsafeSlow(withRows ? rowBytes : 0)
  let rowsEnd = 0
  let slot = 0
  let foreignCount = 0
  let firstForeign: { slot: number; reason: string; sample: string } | undefined

  const columns = {
    /** When the broker took the batch that is read now, epoch ms. */
    appendedAt: 0,

    /** Passes over slots up to `to` (exclusive): they hold no event. */
    skipTo(to: number, reason: string, sample: string): void {
      const until = Math.min(to, slots)
      if (slot >= until) return
      firstForeign ??= { slot, reason, sample }
      foreignCount += until - slot
      receivedAt.fill(columns.appendedAt, slot, until)
      flags.fill(NO_EVENT, slot, until)
      rowEnds.fill(rowsEnd, slot, until)
      slot = until
    },

    /** Reads `count` records, the first of them at `base`. */
    readAll(source: Buffer, count: number, base: number): void {
      if (withRows && rowsEnd + source.byteLength > rows.byteLength) {
        const larger = Buffer.allocUnsafeSlow(Math.max(rows.byteLength * 2, rowsEnd + source.byteLength))
        rows.copy(larger, 0, 0, rowsEnd)
        rows = larger
      }
      const view = new DataView(source.buffer, source.byteOffset, source.byteLength)
      const table = createCellTable(source)
      /** Cells of this source by their number in `table`. */
      const known: number[] = []
      let at = 0

      function varint(): number {
        let value = 0
        for (let shift = 0; shift < 64; shift += 7) {
          const byte = source[at++]
          if (byte === undefined) throw new RangeError('a record is cut short')
          // Beyond 32 bits only times go, which nobody reads.
          if (shift < 32) value |= (byte & 127) << shift
          if (byte < 128) break
        }
        return (value >>> 1) ^ -(value & 1)
      }

      for (let n = 0; n < count; n++) {
        const size = varint()
        const end = at + size
        if (size < 0 || end > source.byteLength) throw new RangeError('a record is cut short')
        at++ // attributes
        varint() // time
        const place = base + varint()
        const keyBytes = varint()
        if (keyBytes > 0) at += keyBytes
        const rowSize = varint()
        const rowAt = at
        if (rowSize > 0) at += rowSize
        let header = -1
        let headerBytes = 0
        for (let left = varint(); left > 0; left--) {
          const nameBytes = varint()
          const isOurs = nameBytes === HEADER_NAME.length && isHeaderName(source, at)
          at += nameBytes
          const valueBytes = varint()
          if (isOurs && valueBytes >= FIXED_BYTES) {
            header = at
            headerBytes = valueBytes
          }
          if (valueBytes > 0) at += valueBytes
        }
        at = end
        columns.skipTo(place, 'a gap in the offsets', '')
        if (slot !== place || slot >= slots) continue
        const reason =
          header < 0
            ? 'no header of ours'
            : source[header] !== HEADER_VERSION
              ? `header of version ${source[header]}, this server reads ${HEADER_VERSION}`
              : rowSize < 2 || source[rowAt] !== 123 || source[rowAt + rowSize - 1] !== 125
                ? 'no JSON object'
                : undefined
        if (reason === undefined && !withRows) {
          receivedAt[slot] = view.getFloat64(header + 2, true)
          ids[slot * 3] = view.getUint32(header + 26, true)
          ids[slot * 3 + 1] = view.getUint32(header + 30, true)
          ids[slot * 3 + 2] = view.getUint32(header + 34, true)
          slot++
          continue
        }
        const number = reason === undefined ? table.find(header + FIXED_BYTES, header + headerBytes) : -1
        let index = known[number]
        if (number >= 0 && index === undefined) {
          const text = source.toString('utf8', header + FIXED_BYTES, header + headerBytes)
          index = cells.push(cellFromKey(text)) - 1
          known[number] = index
        }
        if (reason !== undefined || index === undefined) {
          const sample = source.toString('utf8', rowAt, rowAt + Math.min(Math.max(rowSize, 0), 200))
          columns.skipTo(place + 1, reason ?? 'a header that is broken', sample)
          continue
        }
        flags[slot] = (source[header + 1] as number) & ~NO_EVENT
        receivedAt[slot] = view.getFloat64(header + 2, true)
        time[slot] = view.getFloat64(header + 10, true)
        revenue[slot] = view.getFloat64(header + 18, true)
        ids[slot * 3] = view.getUint32(header + 26, true)
        ids[slot * 3 + 1] = view.getUint32(header + 30, true)
        ids[slot * 3 + 2] = view.getUint32(header + 34, true)
        users[slot * 2] = view.getUint32(header + 38, true)
        users[slot * 2 + 1] = view.getUint32(header + 42, true)
        sessions[slot * 2] = view.getUint32(header + 46, true)
        sessions[slot * 2 + 1] = view.getUint32(header + 50, true)
        cell[slot] = index
        source.copy(rows, rowsEnd, rowAt, rowAt + rowSize)
        rowsEnd += rowSize
        rowEnds[slot] = rowsEnd
        slot++
      }
    },

    foreign(start: number): ForeignRecords | undefined {
      if (!firstForeign) return undefined
      const { slot: at, reason, sample } = firstForeign
      return { offset: start + at, count: foreignCount, reason, sample }
    },

    finish(): RecordBatch {
      columns.skipTo(slots, 'a gap in the offsets', '')
      return {
        count: slots,
        keys: [],
        ids,
        receivedAt,
        time,
        users,
        sessions,
        revenue,
        flags,
        cell,
        cells,
        rows: rows.subarray(0, rowsEnd),
        rowEnds,
      }
    },
  }
  return columns
}

function isHeaderName(source: Buffer, at: number): boolean {
  for (let k = 0; k < HEADER_NAME.length; k++) if (source[at + k] !== HEADER_NAME[k]) return false
  return true
}
