import type { RecordBatch } from '../../../record/record-batch.ts'
import { KafkaError } from '../kafka-error.ts'
import { crc32c } from '../wire/crc32c.ts'
import { decompress } from './compression.ts'
import { BATCH, BATCH_HEADER_BYTES, BEFORE_LENGTH } from './event-header.ts'
import { RecordColumns } from './record-columns.ts'

/** Slots of one decoded batch, about: a gap in the offsets may be longer than memory allows. */
const MAX_SLOTS = 65_536
const MAGIC = 2
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

/** Whole batches; the last one of a fetch may be cut. */
function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = []
  let at = 0
  while (at + BATCH_HEADER_BYTES <= bytes.byteLength) {
    const end = at + BEFORE_LENGTH + bytes.readInt32BE(at + BATCH.length)
    if (end > bytes.byteLength || end <= at) break
    const base = Number(bytes.readBigInt64BE(at + BATCH.baseOffset))
    const more = bytes[at + BATCH.magic] === MAGIC ? bytes.readInt32BE(at + BATCH.lastOffsetDelta) : 0
    frames.push({ at, end, base, next: base + more + 1 })
    at = end
  }
  return frames
}

function readFrame(bytes: Buffer, { at, end, base, next }: Frame, start: number, columns: RecordColumns): void {
  const passOver = (reason: string) => columns.skipTo(next - start, reason)
  if (bytes[at + BATCH.magic] !== MAGIC) {
    passOver('a message of an old format')
    return
  }
  if (crc32c(bytes, at + BATCH.attributes, end) !== bytes.readUInt32BE(at + BATCH.crc)) {
    throw new KafkaError('CORRUPT_MESSAGE', `the records at offset ${base} have a wrong checksum: is a disk failing?`)
  }
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
