import { batchBytes, type RecordBatch } from '../../record/record-batch.ts'

/** The newest blocks of a partition, so that consumers that keep up read nothing back from disk. */
export interface Tail {
  push(offset: number, batch: RecordBatch): void
  /** The block that holds `offset`. */
  find(offset: number): { offset: number; batch: RecordBatch } | undefined
  clear(): void
}

/** A tail of at most `maxBytes`, oldest blocks dropped first. */
export function createTail(maxBytes: number): Tail {
  let blocks: { offset: number; batch: RecordBatch }[] = []
  let bytes = 0
  return {
    push(offset, batch) {
      blocks.push({ offset, batch })
      bytes += batchBytes(batch)
      while (bytes > maxBytes && blocks.length > 0)
        bytes -= batchBytes((blocks.shift() as { batch: RecordBatch }).batch)
    },
    find(offset) {
      const first = blocks[0]
      if (!first || offset < first.offset) return undefined
      return blocks.find((block) => offset < block.offset + block.batch.count)
    },
    clear() {
      blocks = []
      bytes = 0
    },
  }
}
