import type { RecordBatch } from '../../../record/record-batch.ts'
import { decompress } from './compression.ts'
import { BATCH, BATCH_HEADER_BYTES } from './event-header.ts'
import { CONTROL, checkFrame, type Frame, framesOf, MAGIC, TRANSACTIONAL } from './frames.ts'
import { RecordColumns } from './record-columns.ts'

/** Slots of one decoded batch, about: a gap in the offsets may be longer than memory allows. */
const MAX_SLOTS = 65_536

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

/**
 * Decodes what a fetch from offset `from` brought, without an object per record. Every offset from the first on has its
 * place in the batch; one that holds no event of ours (a gap, a control record, somebody else's record) is a slot with
 * `NO_EVENT`, so that places and offsets stay in step. For `identities` alone, only ids and received times are set.
 *
 * @returns undefined when not one whole batch is there
 * @throws KafkaError `CORRUPT_MESSAGE` when a checksum is wrong
 */
export function decodeRecords(
  bytes: Buffer,
  from: number,
  wanted: 'events' | 'identities' = 'events',
): DecodedRecords | undefined {
  const frames = framesOf(bytes)
  const [first] = frames
  if (!first) return undefined
  const start = Math.min(from, first.base)
  const last = frames.findLast((frame) => frame.next - start <= MAX_SLOTS) ?? first
  // A gap before the first batch that is too long is given in parts.
  const end = first.base - start > MAX_SLOTS ? start + MAX_SLOTS : last.next
  const columns = new RecordColumns(end - start, bytes.byteLength, wanted === 'events')
  for (const frame of frames) {
    if (frame.base >= end) break
    readFrame(bytes, frame, start, columns)
  }
  const batch = columns.finish()
  const { foreign } = columns
  return { offset: start, batch, foreign: foreign && { ...foreign, offset: start + foreign.slot } }
}

function readFrame(bytes: Buffer, frame: Frame, start: number, columns: RecordColumns): void {
  const { at, end, base, next } = frame
  const passOver = (reason: string) => columns.skipTo(next - start, reason)
  if (bytes[at + BATCH.magic] !== MAGIC) {
    passOver('a message of an old format')
    return
  }
  checkFrame(bytes, frame)
  columns.appendedAt = Number(bytes.readBigInt64BE(at + BATCH.maxTimestamp))
  columns.skipTo(base - start, 'a gap in the offsets')
  const attributes = bytes.readInt16BE(at + BATCH.attributes)
  if (attributes & CONTROL) passOver('a control record')
  // We never write in a transaction, and do not wait for the end of anybody's.
  else if (attributes & TRANSACTIONAL) passOver('a record of a transaction')
  else {
    try {
      const records = decompress(attributes, bytes.subarray(at + BATCH_HEADER_BYTES, end))
      columns.read(records, bytes.readInt32BE(at + BATCH.count), base - start)
      passOver('a gap in the offsets')
    } catch (error) {
      passOver((error as Error).message)
    }
  }
}
