import type { RawRequest } from '../broker-link.ts'
import { WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

const LIST_OFFSETS = 2
const VERSION = 5

/** Times with a meaning of their own. */
export const LATEST = -1
export const EARLIEST = -2

export interface ListedOffset {
  partition: number
  errorCode: number
  /** First offset at that time or later; −1 when there is none. */
  offset: number
}

/** Asks a leader where in these partitions a time begins (epoch ms, {@link LATEST} or {@link EARLIEST}). */
export function listOffsetsRequest(topic: string, partitions: readonly number[], timestamp: number): RawRequest {
  const fields = new WireWriter()
    .int32(-1) // no replica
    .int8(0)
    .array([topic], (topics, name) =>
      topics.string(name).array(partitions, (each, partition) => each.int32(partition).int32(-1).int64(timestamp)),
    )
  return { apiKey: LIST_OFFSETS, apiVersion: VERSION, body: [fields.take()] }
}

export function readListedOffsets(answer: Buffer): ListedOffset[] {
  const reader = new WireReader(answer)
  reader.int32() // throttle time
  return reader
    .array(() => {
      reader.string()
      return reader.array(() => {
        const partition = reader.int32()
        const errorCode = reader.int16()
        reader.int64() // timestamp
        const offset = reader.int64()
        reader.int32() // leader epoch
        return { partition, errorCode, offset }
      })
    })
    .flat()
}
