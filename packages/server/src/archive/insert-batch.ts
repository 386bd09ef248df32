import { REPEAT, type ReadSlice } from '../consume/log-reader.ts'

/** Longest position fields of a row: epoch, partition, offset, lease with their names. */
const POSITION_BYTES = 136
/** Digits of a time in epoch ms, until the year 2286. */
const TIME_DIGITS = 13

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
  /** Where each row says until when it may be inserted; undefined when rows do not. */
  private readonly leases: number[] | undefined

  /**
   * @param bytes room at first
   * @param isLeased whether {@link bytes} will say until when the rows may be inserted
   */
  constructor(epoch: number, bytes: number, isLeased: boolean) {
    this.epoch = epoch
    this.out = Buffer.allocUnsafeSlow(bytes)
    this.leases = isLeased ? [] : undefined
  }

  /** Adds the events of a slice that count; of those only the ones `isWanted` (all by default). */
  add(slice: ReadSlice, isWanted?: (offset: number) => boolean): void {
    const { batch, partition, offset, first, last, excluded } = slice
    const range = this.ranges.get(partition)
    if (range) range.to = slice.to
    else this.ranges.set(partition, { from: slice.from, to: slice.to })
    this.reserve(batch.rows.byteLength + (last - first) * POSITION_BYTES)
    const { out } = this
    const rows = Buffer.from(batch.rows.buffer, batch.rows.byteOffset, batch.rows.byteLength)
    const lease = this.leases ? `"insert_before":${'0'.repeat(TIME_DIGITS)},` : ''
    const before = `{${lease}"log_epoch":${this.epoch},"log_partition":${partition},"log_offset":`
    const leaseAt = '{"insert_before":'.length
    let at = this.size
    for (let i = first; i < last; i++) {
      if (excluded[i]) {
        if (excluded[i] === REPEAT) this.duplicates++
        continue
      }
      if (isWanted && !isWanted(offset + i)) continue
      const start = i === 0 ? 0 : (batch.rowEnds[i - 1] as number)
      const end = batch.rowEnds[i] as number
      this.leases?.push(at + leaseAt)
      at += out.write(`${before}${offset + i},`, at, 'latin1')
      at += rows.copy(out, at, start + 1, end)
      out[at++] = 10
      this.rows++
    }
    this.size = at
  }

  /** Counts a partition as read up to `to`, behind what its log has lost. */
  passOver(partition: number, to: number): void {
    this.ranges.set(partition, { from: this.ranges.get(partition)?.from ?? to, to })
  }

  /**
   * JSON objects, a line each.
   * @param insertBefore until when the store may take them, epoch ms by its own clock, for leased rows
   */
  bytes(insertBefore?: number): Uint8Array {
    if (this.leases) {
      const time = Buffer.from(String(insertBefore).padStart(TIME_DIGITS, '0'), 'latin1')
      for (const at of this.leases) this.out.set(time, at)
    }
    return this.out.subarray(0, this.size)
  }

  private reserve(bytes: number): void {
    if (this.size + bytes <= this.out.byteLength) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.out.byteLength * 2, this.size + bytes))
    this.out.copy(larger, 0, 0, this.size)
    this.out = larger
  }
}
