import { crc32c } from '../wire/crc32c.ts'
import { BATCH, BATCH_HEADER_BYTES, BEFORE_LENGTH } from './event-header.ts'
import { MAGIC, TRANSACTIONAL } from './frames.ts'
import { sizeOfVarint, writeVarint } from './varint.ts'

/** Who writes a batch in a transaction, and how many records they have written before. */
export interface BatchProducer {
  id: bigint
  epoch: number
  sequence: number
}

/** Varints and lengths of one record, at most. */
const RECORD_OVERHEAD = 32

/** A batch of records with keys and values, as part of a transaction. */
export function encodeRows(
  rows: readonly { key: Buffer; value: Uint8Array }[],
  producer: BatchProducer,
  timestamp: number,
): Buffer {
  const most = rows.reduce((sum, { key, value }) => sum + key.byteLength + value.byteLength + RECORD_OVERHEAD, 0)
  const out = Buffer.allocUnsafe(BATCH_HEADER_BYTES + most)
  let at = BATCH_HEADER_BYTES
  for (const [i, { key, value }] of rows.entries()) {
    const [keyBytes, valueBytes] = [key.byteLength, value.byteLength]
    const parts = sizeOfVarint(i) + sizeOfVarint(keyBytes) + keyBytes + sizeOfVarint(valueBytes) + valueBytes
    at = writeVarint(out, at, 3 + parts)
    out[at++] = 0 // attributes
    out[at++] = 0 // time since the batch's
    at = writeVarint(out, at, i)
    at = writeVarint(out, at, keyBytes)
    at += key.copy(out, at)
    at = writeVarint(out, at, valueBytes)
    out.set(value, at)
    at += valueBytes
    out[at++] = 0 // no headers
  }
  out.fill(0, 0, BATCH.length)
  out.writeInt32BE(at - BEFORE_LENGTH, BATCH.length)
  out.writeInt32BE(-1, BATCH.leaderEpoch)
  out[BATCH.magic] = MAGIC
  out.writeInt16BE(TRANSACTIONAL, BATCH.attributes)
  out.writeInt32BE(rows.length - 1, BATCH.lastOffsetDelta)
  out.writeBigInt64BE(BigInt(timestamp), BATCH.baseTimestamp)
  out.writeBigInt64BE(BigInt(timestamp), BATCH.maxTimestamp)
  out.writeBigInt64BE(producer.id, BATCH.producerId)
  out.writeInt16BE(producer.epoch, BATCH.producerEpoch)
  out.writeInt32BE(producer.sequence, BATCH.baseSequence)
  out.writeInt32BE(rows.length, BATCH.count)
  out.writeUInt32BE(crc32c(out, BATCH.attributes, at), BATCH.crc)
  return out.subarray(0, at)
}
