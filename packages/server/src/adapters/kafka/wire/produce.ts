import type { RawRequest } from '../broker-link.ts'
import { WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

const PRODUCE = 0
const VERSION = 8
/** Every replica in sync has it. */
const ALL = -1

export interface ProducedBatch {
  partition: number
  errorCode: number
  /** Offset of its first record. */
  offset: number
  message: string | null
}

/**
 * One record batch a partition; the broker gives up waiting for replicas after `timeoutMs`.
 * @param transactionalId of the transaction that the batches belong to; null for none
 */
export function produceRequest(
  topic: string,
  batches: readonly { partition: number; bytes: Buffer }[],
  timeoutMs: number,
  transactionalId: string | null = null,
): RawRequest {
  const head = new WireWriter()
    .string(transactionalId)
    .int16(ALL)
    .int32(timeoutMs)
    .int32(1)
    .string(topic)
    .int32(batches.length)
  const body: Uint8Array[] = [head.take()]
  for (const { partition, bytes } of batches) {
    body.push(new WireWriter(8).int32(partition).int32(bytes.byteLength).take(), bytes)
  }
  return { apiKey: PRODUCE, apiVersion: VERSION, body }
}

export function readProduced(answer: Buffer): ProducedBatch[] {
  const reader = new WireReader(answer)
  return reader
    .array(() => {
      reader.string()
      return reader.array(() => {
        const partition = reader.int32()
        const errorCode = reader.int16()
        const offset = reader.int64()
        reader.int64() // append time
        reader.int64() // start of the log
        const recordErrors = reader.array(() => {
          reader.int32()
          return reader.string()
        })
        const message = reader.string() ?? recordErrors.find((text) => text !== null) ?? null
        return { partition, errorCode, offset, message }
      })
    })
    .flat()
}
