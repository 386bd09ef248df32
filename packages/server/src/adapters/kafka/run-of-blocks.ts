import { batchBytes, type RecordBatch } from '../../record/record-batch.ts'

export interface Block {
  offset: number
  batch: RecordBatch
}

/** Blocks of one partition without a gap, for the readers that are about there. */
export class RunOfBlocks {
  readonly partition: number
  /** Offset from which on it has, or had, everything. */
  base: number
  /** Offset to fetch next. */
  next: number
  /** Offset behind the last event that a reader was given. */
  readTo: number
  /** When a reader asked last, `performance.now()`. */
  usedAt = performance.now()
  /** Whether a fetch for it is under way. */
  isFetching = false
  /** Where the log ended when it was fetched last; −1 before. */
  endSeen = -1
  /** Readers that wait for what comes at {@link next}. */
  readonly waiting = new Set<Waiting>()
  private blocks: Block[] = []
  private bytes = 0
  private unreadBytes = 0

  constructor(partition: number, from: number) {
    this.partition = partition
    this.base = from
    this.next = from
    this.readTo = from
  }

  /** Bytes that no reader was given yet. */
  get unread(): number {
    return this.unreadBytes
  }

  /** The block that holds `offset`; notes that it was read. */
  take(offset: number): Block | undefined {
    if (offset >= this.next) return undefined
    const block = this.blocks.findLast((one) => one.offset <= offset)
    if (!block || offset >= block.offset + block.batch.count) return undefined
    const end = block.offset + block.batch.count
    if (end > this.readTo) {
      this.readTo = end
      this.unreadBytes = this.blocks.reduce((sum, one) => sum + (one.offset >= end ? batchBytes(one.batch) : 0), 0)
    }
    return block
  }

  /** Adds what was fetched at {@link next}, and lets the oldest blocks go that were read, beyond `keepBytes`. */
  push(block: Block, keepBytes: number): void {
    this.blocks.push(block)
    this.next = block.offset + block.batch.count
    this.bytes += batchBytes(block.batch)
    this.unreadBytes += batchBytes(block.batch)
    while (this.bytes > keepBytes) {
      const [oldest] = this.blocks
      if (!oldest || oldest.offset + oldest.batch.count > this.readTo) break
      this.blocks.shift()
      this.bytes -= batchBytes(oldest.batch)
    }
  }

  /** Goes on at `offset`, since what came before is no longer in the log. */
  skipTo(offset: number): void {
    this.blocks = []
    this.bytes = 0
    this.unreadBytes = 0
    this.base = offset
    this.next = offset
    this.readTo = offset
  }
}

export interface Waiting {
  settle(): void
  fail(error: Error): void
}
