import type { LogIdentities } from '../../ports/event-log.ts'
import type { RecordBatch } from '../../record/record-batch.ts'

const EVENT_BYTES = 20

/** Received times (8 bytes an event), then ids (12 bytes an event), little-endian. */
export function encodeIdentities(batch: Pick<RecordBatch, 'count' | 'ids' | 'receivedAt'>): Buffer {
  const out = Buffer.allocUnsafeSlow(batch.count * EVENT_BYTES)
  out.set(new Uint8Array(batch.receivedAt.buffer, batch.receivedAt.byteOffset, batch.count * 8), 0)
  out.set(new Uint8Array(batch.ids.buffer, batch.ids.byteOffset, batch.count * 12), batch.count * 8)
  return out
}

/** The identities of {@link encodeIdentities}, copied. */
export function decodeIdentities(offset: number, bytes: Uint8Array): LogIdentities {
  const copy = Uint8Array.prototype.slice.call(bytes)
  const count = copy.byteLength / EVENT_BYTES
  const receivedAt = new Float64Array(copy.buffer, copy.byteOffset, count)
  const ids = new Uint32Array(copy.buffer, copy.byteOffset + count * 8, count * 3)
  return { offset, ids, receivedAt }
}

/** Blocks that follow each other without a gap, as one. */
export function joinIdentities(blocks: readonly LogIdentities[]): LogIdentities {
  const count = blocks.reduce((sum, block) => sum + block.receivedAt.length, 0)
  const receivedAt = new Float64Array(count)
  const ids = new Uint32Array(count * 3)
  let at = 0
  for (const block of blocks) {
    receivedAt.set(block.receivedAt, at)
    ids.set(block.ids, at * 3)
    at += block.receivedAt.length
  }
  return { offset: blocks[0]?.offset ?? 0, ids, receivedAt }
}
