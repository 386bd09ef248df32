import { MAX_RANK, REGISTER_COUNT } from './precision.ts'

/** α∞ = 1 / (2 ln 2). */
const ALPHA_INFINITY = 0.7213475204444817

/** σ(x) = x + Σ x^(2^k) · 2^(k−1) over k ≥ 1: the correction for registers that are still 0. */
function sigma(x: number): number {
  if (x === 1) return Number.POSITIVE_INFINITY
  let power = x
  let factor = 1
  let sum = x
  let previous: number
  do {
    power *= power
    previous = sum
    sum += power * factor
    factor += factor
  } while (previous !== sum)
  return sum
}

/** τ(x) = (1 − x − Σ (1 − x^(2^−k))² · 2^−k) / 3 over k ≥ 1: the correction for registers that are full. */
function tau(x: number): number {
  if (x === 0 || x === 1) return 0
  let root = x
  let factor = 1
  let sum = 1 - x
  let previous: number
  do {
    root = Math.sqrt(root)
    previous = sum
    factor *= 0.5
    sum -= (1 - root) ** 2 * factor
  } while (previous !== sum)
  return sum / 3
}

/**
 * Number of distinct elements behind 16,384 registers, of which `countByRank[rank]` hold that rank (0 … 51). The
 * improved raw estimator, good at every size without tables: Otmar Ertl, "New cardinality estimation algorithms for
 * HyperLogLog sketches", arXiv:1702.01284, algorithm 6; Redis has used it since version 4. A float: the caller rounds.
 */
export function estimateCardinality(countByRank: Uint32Array): number {
  const registers = REGISTER_COUNT
  let z = registers * tau((registers - countByRank[MAX_RANK]!) / registers)
  for (let rank = MAX_RANK - 1; rank >= 1; rank--) {
    z = (z + countByRank[rank]!) * 0.5
  }
  z += registers * sigma(countByRank[0]! / registers)
  return (ALPHA_INFINITY * registers * registers) / z
}
