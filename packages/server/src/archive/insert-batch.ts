import type { ReadSlice } from '../consume/log-reader.ts'

/** Longest position fields of a row: epoch, partition, offset with their names. */
const POSITION_BYTES = 96

/** Puts rows together, from any number of partitions, each with its place in the log; nothing is parsed. */
export class InsertBatchBuilder {
  rows = 0
  duplicates = 0
  /** Bytes so far. */
  size = 0
  /** Offsets `[from, to)` of each partition, duplicates included. */
  readonly ranges = new Map<number, { from: number; to: number }>()
  private out: Buffer
  private readonly epoch: number

  constructor(epoch: number, bytes: number) {
    this.epoch = epoch
    this.out = Buffer.allocUnsafeSlow(bytes)
  }

  /** Adds the events of a slice that are no duplicates; of those only the ones `isWanted` (all by default). */
  add(slice: ReadSlice, isWanted?: (offset: number) => boolean): void {
    const { batch, partition, offset, first, last, duplicate } = slice
    const range = this.ranges.get(partition)
    if (range) range.to = slice.to
    else this.ranges.set(partition, { from: slice.from, to: slice.to })
    this.reserve(batch.rows.byteLength + (last - first) * POSITION_BYTES)
    const { out } = this
    const rows = Buffer.from(batch.rows.buffer, batch.rows.byteOffset, batch.rows.byteLength)
    const before = `{"log_epoch":${this.epoch},"log_partition":${partition},"log_offset":`
    let at = this.size
    for (let i = first; i < last; i++) {
      if (duplicate[i]) {
        this.duplicates++
        continue
      }
      if (isWanted && !isWanted(offset + i)) continue
      const start = i === 0 ? 0 : (batch.rowEnds[i - 1] as number)
      const end = batch.rowEnds[i] as number
      at += out.write(`${before}${offset + i},`, at, 'latin1')
      at += rows.copy(out, at, start + 1, end)
      out[at++] = 10
      this.rows++
    }
    this.size = at
  }

  /** JSON objects, a line each. */
  bytes(): Uint8Array {
    return this.out.subarray(0, this.size)
  }

  private reserve(bytes: number): void {
    if (this.size + bytes <= this.out.byteLength) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.out.byteLength * 2, this.size + bytes))
    this.out.copy(larger, 0, 0, this.size)
    this.out = larger
  }
}
