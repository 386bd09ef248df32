import { raiseDense } from './dense-registers.ts'
import { estimateCardinality } from './estimate-cardinality.ts'
import type { HyperLogLog, RegisterSink } from './hyperloglog.ts'
import { DENSE_BYTES, RANK_BITS, REGISTER_COUNT } from './precision.ts'
import { RankHistogram } from './rank-histogram.ts'

const RANK_MASK = (1 << RANK_BITS) - 1
/** Bytes of a packed register. */
const PACKED_BYTES = 4

/**
 * The union of many sketches, to be cleared and used again: 48 KB that never grow. The histogram of ranks and the list
 * of registers in use are kept as sketches come in, so that an estimate costs the same however many are in use, and
 * clearing and packing cost what was put in.
 */
export class RegisterUnion implements RegisterSink {
  private readonly ranks = new Uint8Array(REGISTER_COUNT)
  private readonly used = new Uint16Array(REGISTER_COUNT)
  private readonly histogram = new RankHistogram()
  /** Registers in use. */
  private size = 0

  /** Words that `packInto` writes; undefined where all registers by six bits are smaller. */
  get packedLength(): number | undefined {
    return this.size * PACKED_BYTES < DENSE_BYTES ? this.size : undefined
  }

  add(sketch: HyperLogLog): void {
    sketch.pourInto(this)
  }

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

  /** Writes the registers in use to `target[at…]`, packed as in a sparse sketch; answers the position after the last. */
  packInto(target: Uint32Array, at: number): number {
    for (let i = 0; i < this.size; i++) {
      const index = this.used[i]!
      target[at + i] = (index << RANK_BITS) | this.ranks[index]!
    }
    return at + this.size
  }

  /** A copy of all registers, six bits each, lowest bits first: 12,288 bytes. */
  toDense(): Uint8Array {
    const bytes = new Uint8Array(DENSE_BYTES)
    for (let i = 0; i < this.size; i++) raiseDense(bytes, this.used[i]!, this.ranks[this.used[i]!]!)
    return bytes
  }

  clear(): void {
    for (let i = 0; i < this.size; i++) this.ranks[this.used[i]!] = 0
    this.size = 0
    this.histogram.clear()
  }

  private raise(index: number, rank: number): void {
    const present = this.ranks[index]!
    if (rank <= present) return
    if (present === 0) this.used[this.size++] = index
    this.ranks[index] = rank
    this.histogram.move(present, rank)
  }
}
