import { mergeDense, raiseDense, visitDense } from './dense-registers.ts'
import { estimateCardinality } from './estimate-cardinality.ts'
import { DENSE_BYTES, RANK_BITS, REGISTER_COUNT } from './precision.ts'
import { RankHistogram } from './rank-histogram.ts'
import { decodeRedis, encodeRedis, encodeSparseRedis } from './redis-encoding.ts'
import { registerOfHash } from './register-of-hash.ts'
import { growSparse, NO_REGISTERS, type SparseRegisters, slotOf, sparseOf, sparseRoom } from './sparse-registers.ts'

const RANK_MASK = (1 << RANK_BITS) - 1

const histogram = new RankHistogram()
const decoded = new Uint32Array(REGISTER_COUNT)

/** What takes in the registers of a sketch, in whichever form they are kept. */
export interface RegisterSink {
  addPacked(packed: ArrayLike<number>, from: number, to: number): void
  addDense(bytes: Uint8Array, at?: number): void
}

/**
 * A HyperLogLog sketch: how many distinct elements were added, with a standard error of 0.81 %. Register for register
 * the same as Redis's. Sparse up to 1,536 registers in use, then dense: at most 12,288 bytes.
 *
 * @example
 * const hash = new Uint32Array(2)
 * murmurHash64A('user-1', hash, 0)
 * sketch.add(hash[0], hash[1])
 * Math.round(sketch.estimate()) // 1
 */
export class HyperLogLog implements RegisterSink {
  private sparse: SparseRegisters = NO_REGISTERS
  /** Registers in use while sparse. */
  private size = 0
  private dense: Uint8Array | undefined = undefined

  /** Reads the value of a Redis key written by PFADD or PFMERGE, dense or sparse. Throws a `RangeError` if it is none. */
  static fromRedis(bytes: Uint8Array): HyperLogLog {
    const sketch = new HyperLogLog()
    let count = 0
    decodeRedis(bytes, (index, rank) => {
      decoded[count++] = (index << RANK_BITS) | rank
    })
    const sparse = sparseOf(decoded, count)
    if (sparse === undefined) {
      sketch.addPacked(decoded, 0, count)
    } else {
      sketch.sparse = sparse
      sketch.size = count
    }
    return sketch
  }

  get isEmpty(): boolean {
    return this.dense === undefined && this.size === 0
  }

  get isDense(): boolean {
    return this.dense !== undefined
  }

  /** Bytes of the registers, without the object around them. */
  get byteLength(): number {
    if (this.dense !== undefined) return DENSE_BYTES
    return this.sparse.length * (Array.isArray(this.sparse) ? 8 : 4)
  }

  /** Words that `packInto` writes; `undefined` for a dense sketch, which is kept by `toDense`. */
  get packedLength(): number | undefined {
    return this.dense === undefined ? this.size : undefined
  }

  /** Adds an element by the two words of its 64-bit hash. True when a register changed. */
  add(low: number, high: number): boolean {
    return this.raise(registerOfHash(low, high))
  }

  /** Raises the register `index` (0 … 16,383) to `rank` (1 … 51). True when it was lower. */
  addRegister(index: number, rank: number): boolean {
    return this.raise((index << RANK_BITS) | rank)
  }

  /** Adds packed registers, `index << 6 | rank` each, from `packed[from]` up to but not including `packed[to]`. */
  addPacked(packed: ArrayLike<number>, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const register = packed[i]!
      if (register !== 0) this.raise(register)
    }
  }

  /** Adds 16,384 registers of six bits (see `toDense`) that begin at `bytes[at]`. */
  addDense(bytes: Uint8Array, at = 0): void {
    mergeDense(this.becomeDense(), bytes, at)
  }

  /** The union: as if all that was added to `other` had been added here. */
  merge(other: HyperLogLog): void {
    other.pourInto(this)
  }

  /** Hands the registers to `sink` as they are kept; among packed ones there may be zeros, which mean nothing. */
  pourInto(sink: RegisterSink): void {
    if (this.dense !== undefined) sink.addDense(this.dense)
    else sink.addPacked(this.sparse, 0, this.sparse.length)
  }

  /** Number of distinct elements; a float, and approximate. */
  estimate(): number {
    if (this.dense !== undefined) {
      histogram.countDense(this.dense)
    } else {
      histogram.clear()
      for (let slot = 0; slot < this.sparse.length; slot++) {
        const register = this.sparse[slot]!
        if (register !== 0) histogram.move(0, register & RANK_MASK)
      }
    }
    return estimateCardinality(histogram.countByRank)
  }

  clear(): void {
    this.sparse = NO_REGISTERS
    this.size = 0
    this.dense = undefined
  }

  clone(): HyperLogLog {
    const copy = new HyperLogLog()
    if (this.size > 0) copy.sparse = this.sparse.slice()
    copy.size = this.size
    copy.dense = this.dense?.slice()
    return copy
  }

  /** Calls `visit` for every register in use: by ascending index if dense, otherwise in no order. */
  forEachRegister(visit: (index: number, rank: number) => void): void {
    if (this.dense !== undefined) {
      visitDense(this.dense, visit)
      return
    }
    for (let slot = 0; slot < this.sparse.length; slot++) {
      const register = this.sparse[slot]!
      if (register !== 0) visit(register >>> RANK_BITS, register & RANK_MASK)
    }
  }

  /** Packed registers by ascending index, or `undefined` for a dense sketch. */
  toSparse(): Uint32Array | undefined {
    if (this.dense !== undefined) return undefined
    const packed = new Uint32Array(this.size)
    this.packInto(packed, 0)
    return packed.sort()
  }

  /**
   * Writes `packedLength` packed registers to `target[at…]`, in no order, and returns the position after the last.
   * Throws a `TypeError` for a dense sketch.
   */
  packInto(target: Uint32Array, at: number): number {
    if (this.dense !== undefined) throw new TypeError('a dense sketch is not packed: use toDense()')
    let to = at
    for (let slot = 0; slot < this.sparse.length; slot++) {
      const register = this.sparse[slot]!
      if (register !== 0) target[to++] = register
    }
    return to
  }

  /** A copy of all registers, six bits each, lowest bits first: 12,288 bytes. */
  toDense(): Uint8Array {
    if (this.dense !== undefined) return this.dense.slice()
    const bytes = new Uint8Array(DENSE_BYTES)
    this.forEachRegister((index, rank) => raiseDense(bytes, index, rank))
    return bytes
  }

  /** The value to SET at a Redis key, so that PFCOUNT and PFMERGE read it: at most 12,304 bytes. */
  toRedis(): Buffer {
    const sparse = this.toSparse()
    return (sparse && encodeSparseRedis(sparse)) ?? encodeRedis(this.toDense())
  }

  private raise(register: number): boolean {
    const index = register >>> RANK_BITS
    if (this.dense !== undefined) return raiseDense(this.dense, index, register & RANK_MASK)
    const slot = slotOf(this.sparse, this.size, index)
    const found = slot < this.sparse.length ? this.sparse[slot]! : 0
    if (found >= register) return false
    if (found !== 0) {
      this.sparse[slot] = register
      return true
    }
    if (this.size < sparseRoom(this.sparse)) {
      this.sparse[slot] = register
      this.size++
      return true
    }
    const grown = growSparse(this.sparse)
    if (grown === undefined) this.becomeDense()
    else this.sparse = grown
    return this.raise(register)
  }

  private becomeDense(): Uint8Array {
    if (this.dense === undefined) {
      const bytes = this.toDense()
      this.clear()
      this.dense = bytes
    }
    return this.dense!
  }
}
