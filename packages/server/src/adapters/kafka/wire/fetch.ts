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
}

export interface FetchedPartition {
  partition: number
  errorCode: number
  /** Offset behind the last record that consumers may see. */
  highWatermark: number
  logStart: number
  /** Record batches; the last one may be cut. */
  records: Buffer
}

export function fetchRequest({
  topicId,
  partitions,
  maxWaitMs,
  maxBytes,
  partitionMaxBytes,
}: FetchRequest): RawRequest {
  const fields = new WireWriter(64 + partitions.length * 40)
    .int32(-1) // no replica
    .int32(maxWaitMs)
    .int32(1)
    .int32(maxBytes)
    .int8(0) // uncommitted too: a transaction that nobody ends must not stop us
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
      reader.int64() // last stable offset
      const logStart = reader.int64()
      reader.compactArray(() => {
        reader.int64()
        reader.int64()
        reader.tags()
      })
      reader.int32() // preferred replica
      const records = reader.raw(Math.max(0, reader.unsignedVarint() - 1))
      reader.tags()
      return { partition, errorCode: code, highWatermark, logStart, records }
    })
    reader.tags()
    return ofTopic
  })
  return { errorCode, partitions: partitions.flat() }
}
