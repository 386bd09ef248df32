import { DENSE_BYTES, RANK_BITS, REGISTER_COUNT } from './precision.ts'

/** Room for every rank that six bits can hold. */
const RANKS = 1 << RANK_BITS

/** How often each pair of neighbouring ranks occurs: half the increments, and seldom twice in a row at one place. */
const countByPair = new Uint16Array(RANKS * RANKS)

/** How many of 16,384 registers hold each rank: what the estimator reads. `countByRank[rank]`, ranks 0 … 63. */
export class RankHistogram {
  readonly countByRank = new Uint32Array(RANKS)

  constructor() {
    this.clear()
  }

  /** All registers at 0. */
  clear(): void {
    this.countByRank.fill(0)
    this.countByRank[0] = REGISTER_COUNT
  }

  /** One register rises. */
  move(from: number, to: number): void {
    this.countByRank[from]!--
    this.countByRank[to]!++
  }

  /** Counts all registers of a dense sketch, six bits each. */
  countDense(bytes: Uint8Array): void {
    countByPair.fill(0)
    for (let i = 0; i < DENSE_BYTES; i += 3) {
      const four = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16)
      countByPair[four & 0xfff]!++
      countByPair[four >>> 12]!++
    }
    this.countByRank.fill(0)
    for (let pair = 0; pair < countByPair.length; pair++) {
      const count = countByPair[pair]!
      if (count === 0) continue
      this.countByRank[pair & (RANKS - 1)]! += count
      this.countByRank[pair >>> RANK_BITS]! += count
    }
  }
}
