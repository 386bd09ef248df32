import { estimateCardinality } from './estimate-cardinality.ts'
import type { HyperLogLog, RegisterSink } from './hyperloglog.ts'
import { RANK_BITS, REGISTER_COUNT } from './precision.ts'
import { RankHistogram } from './rank-histogram.ts'

const RANK_MASK = (1 << RANK_BITS) - 1

/**
 * The union of many sketches, to be cleared and used again: 16 KB, a byte for each register, that never grow. The
 * histogram of ranks is kept as sketches come in, so that an estimate costs the same however many registers are in use.
 */
export class RegisterUnion implements RegisterSink {
  private readonly ranks = new Uint8Array(REGISTER_COUNT)
  private readonly histogram = new RankHistogram()

  add(sketch: HyperLogLog): void {
    sketch.pourInto(this)
  }

  /** Adds packed registers, `index << 6 | rank` each, from `packed[from]` up to but not including `packed[to]`. */
  addPacked(packed: ArrayLike<number>, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const register = packed[i]!
      this.raise(register >>> RANK_BITS, register & RANK_MASK)
    }
  }

  /** Adds 16,384 registers of six bits that begin at `bytes[at]`: four of them in three bytes. */
  addDense(bytes: Uint8Array, at = 0): void {
    for (let index = 0, i = at; index < REGISTER_COUNT; index += 4, i += 3) {
      const four = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16)
      this.raise(index, four & 0x3f)
      this.raise(index + 1, (four >>> 6) & 0x3f)
      this.raise(index + 2, (four >>> 12) & 0x3f)
      this.raise(index + 3, four >>> 18)
    }
  }

  /** Number of distinct elements in all sketches together; a float, and approximate. */
  estimate(): number {
    return estimateCardinality(this.histogram.countByRank)
  }

  clear(): void {
    this.ranks.fill(0)
    this.histogram.clear()
  }

  private raise(index: number, rank: number): void {
    const present = this.ranks[index]!
    if (rank <= present) return
    this.ranks[index] = rank
    this.histogram.move(present, rank)
  }
}
