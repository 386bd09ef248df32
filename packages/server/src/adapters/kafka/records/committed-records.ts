import type { AbortedTransaction } from '../wire/fetch.ts'
import { decompress } from './compression.ts'
import { BATCH, BATCH_HEADER_BYTES } from './event-header.ts'
import { CONTROL, checkFrame, framesOf, MAGIC, TRANSACTIONAL } from './frames.ts'
import { RecordCursor } from './record-cursor.ts'

/** A record that no transaction holds back, or whose transaction was committed. */
export interface CommittedRecord {
  offset: number
  /** Undefined for none. */
  key: Buffer | undefined
  /** Undefined for a tombstone. */
  value: Buffer | undefined
}

export interface CommittedRecords {
  records: CommittedRecord[]
  /** Offset behind the last whole batch; that which was asked for when there is none. */
  next: number
}

/**
 * The records from offset `from` on in what a fetch of committed ones has brought: control records are passed over, and
 * so are the records of transactions that were aborted. Views of `bytes`, or of what was unpacked from it.
 * @param aborted what the fetch says of aborted transactions, by their first offsets
 * @throws KafkaError `CORRUPT_MESSAGE` when a checksum is wrong; Error when a batch cannot be read
 */
export function committedRecords(
  bytes: Buffer,
  from: number,
  aborted: readonly AbortedTransaction[],
): CommittedRecords {
  const records: CommittedRecord[] = []
  /** Producers whose records from here on are of an aborted transaction. */
  const aborting = new Set<bigint>()
  let toBegin = 0
  let next = from
  for (const frame of framesOf(bytes)) {
    checkFrame(bytes, frame)
    next = Math.max(next, frame.next)
    if (bytes[frame.at + BATCH.magic] !== MAGIC) continue
    for (; toBegin < aborted.length; toBegin++) {
      const { producerId, firstOffset } = aborted[toBegin] as AbortedTransaction
      if (firstOffset >= frame.next) break
      aborting.add(producerId)
    }
    const attributes = bytes.readInt16BE(frame.at + BATCH.attributes)
    const producerId = bytes.readBigInt64BE(frame.at + BATCH.producerId)
    if (attributes & CONTROL) {
      // The end of a transaction, whichever way: what the producer writes next is of another one.
      aborting.delete(producerId)
      continue
    }
    if (attributes & TRANSACTIONAL && aborting.has(producerId)) continue
    const unpacked = decompress(attributes, bytes.subarray(frame.at + BATCH_HEADER_BYTES, frame.end))
    const cursor = new RecordCursor(unpacked)
    for (let left = bytes.readInt32BE(frame.at + BATCH.count); left > 0; left--) {
      cursor.next()
      const offset = frame.base + cursor.offsetDelta
      if (offset < from) continue
      const part = (at: number, length: number) => (length < 0 ? undefined : unpacked.subarray(at, at + length))
      records.push({ offset, key: part(cursor.key, cursor.keyBytes), value: part(cursor.value, cursor.valueBytes) })
    }
  }
  return { records, next }
}
