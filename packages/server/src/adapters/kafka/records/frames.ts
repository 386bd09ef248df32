import { KafkaError } from '../kafka-error.ts'
import { crc32c } from '../wire/crc32c.ts'
import { BATCH, BATCH_HEADER_BYTES, BEFORE_LENGTH } from './event-header.ts'

/** The format of batches that we know. */
export const MAGIC = 2
/** Bits of a batch's attributes. */
export const TRANSACTIONAL = 16
export const CONTROL = 32

/** Where one batch of records stands in what a fetch has brought. */
export interface Frame {
  at: number
  end: number
  base: number
  /** Offset behind its last one. */
  next: number
}

/** Whole batches; the last one of a fetch may be cut. */
export function framesOf(bytes: Buffer): Frame[] {
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

/** @throws KafkaError `CORRUPT_MESSAGE` when the checksum of a batch is wrong */
export function checkFrame(bytes: Buffer, { at, end, base }: Frame): void {
  if (crc32c(bytes, at + BATCH.attributes, end) === bytes.readUInt32BE(at + BATCH.crc)) return
  throw new KafkaError('CORRUPT_MESSAGE', `the records at offset ${base} have a wrong checksum: is a disk failing?`)
}
