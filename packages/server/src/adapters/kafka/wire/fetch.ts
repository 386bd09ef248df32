import type { RawRequest } from '../broker-link.ts'
import { WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

const FETCH = 1
/** The first version that names a topic by its id, so that a topic made anew is never taken for the old one. */
const VERSION = 13

export interface FetchRequest {
  topicId: Buffer
  partitions: readonly { partition: number; offset: number }[]
  /** How long the broker may wait for the first byte. */
  maxWaitMs: number
  maxBytes: number
  partitionMaxBytes: number
  /** Only what no open transaction stands before, and with it which transactions were aborted. @default false */
  isCommitted?: boolean
}

/** Records of this producer from this offset on, up to its next control record, were never committed. */
export interface AbortedTransaction {
  producerId: bigint
  firstOffset: number
}

export interface FetchedPartition {
  partition: number
  errorCode: number
  /** Offset behind the last record that consumers may see. */
  highWatermark: number
  /** Offset of the first record whose transaction is open; where there is none, the high watermark. */
  lastStable: number
  logStart: number
  /** By their first offsets; none unless committed records were asked for. */
  aborted: readonly AbortedTransaction[]
  /** Record batches; the last one may be cut. */
  records: Buffer
}

export function fetchRequest({
  topicId,
  partitions,
  maxWaitMs,
  maxBytes,
  partitionMaxBytes,
  isCommitted = false,
}: FetchRequest): RawRequest {
  const fields = new WireWriter(64 + partitions.length * 40)
    .int32(-1) // no replica
    .int32(maxWaitMs)
    .int32(1)
    .int32(maxBytes)
    // As a rule uncommitted too: a transaction that nobody ends must not stop us.
    .int8(isCommitted ? 1 : 0)
    .int32(0) // no session
    .int32(-1)
    .compactArray([topicId], (topics, id) =>
      topics
        .raw(id)
        .compactArray(partitions, (each, { partition, offset }) =>
          each.int32(partition).int32(-1).int64(offset).int32(-1).int64(-1).int32(partitionMaxBytes).noTags(),
        )
        .noTags(),
    )
    .compactArray([], () => {})
    .compactString('')
    .noTags()
  return { apiKey: FETCH, apiVersion: VERSION, isFlexible: true, body: [fields.take()] }
}

/** @returns partitions, and the error of the request as a whole */
export function readFetched(answer: Buffer): { errorCode: number; partitions: FetchedPartition[] } {
  const reader = new WireReader(answer)
  reader.int32() // throttle time
  const errorCode = reader.int16()
  reader.int32() // session
  const partitions = reader.compactArray(() => {
    reader.raw(16)
    const ofTopic = reader.compactArray(() => {
      const partition = reader.int32()
      const code = reader.int16()
      const highWatermark = reader.int64()
      const lastStable = reader.int64()
      const logStart = reader.int64()
      const aborted = reader.compactArray(() => {
        const producerId = reader.bigInt64()
        const firstOffset = reader.int64()
        reader.tags()
        return { producerId, firstOffset }
      })
      reader.int32() // preferred replica
      const records = reader.raw(Math.max(0, reader.unsignedVarint() - 1))
      reader.tags()
      return { partition, errorCode: code, highWatermark, lastStable, logStart, aborted, records }
    })
    reader.tags()
    return ofTopic
  })
  return { errorCode, partitions: partitions.flat() }
}
