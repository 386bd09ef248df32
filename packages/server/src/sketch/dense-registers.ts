import { DENSE_BYTES, RANK_BITS } from './precision.ts'

/**
 * All 16,384 registers, six bits each, lowest bits first: 12,288 bytes, laid out as in the body of Redis's dense
 * encoding. Raises one register. True when it was lower.
 */
export function raiseDense(bytes: Uint8Array, index: number, rank: number): boolean {
  const bit = index * RANK_BITS
  const at = bit >>> 3
  const shift = bit & 7
  const pair = bytes[at]! | (shift > 2 ? bytes[at + 1]! << 8 : 0)
  if (((pair >>> shift) & 0x3f) >= rank) return false
  const raised = (pair & ~(0x3f << shift)) | (rank << shift)
  bytes[at] = raised
  if (shift > 2) bytes[at + 1] = raised >>> 8
  return true
}

/** Raises every register of `bytes` to that of `other`, whose registers begin at `at`: four of them in three bytes. */
export function mergeDense(bytes: Uint8Array, other: Uint8Array, at: number): void {
  for (let i = 0, o = at; i < DENSE_BYTES; i += 3, o += 3) {
    const a = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16)
    const b = other[o]! | (other[o + 1]! << 8) | (other[o + 2]! << 16)
    if (a === b) continue
    const merged =
      Math.max(a & 0x3f, b & 0x3f) |
      Math.max(a & 0xfc0, b & 0xfc0) |
      Math.max(a & 0x3f000, b & 0x3f000) |
      Math.max(a & 0xfc0000, b & 0xfc0000)
    bytes[i] = merged
    bytes[i + 1] = merged >>> 8
    bytes[i + 2] = merged >>> 16
  }
}

/** Calls `visit` for every register in use, by ascending index. */
export function visitDense(bytes: Uint8Array, visit: (index: number, rank: number) => void): void {
  for (let i = 0, index = 0; i < DENSE_BYTES; i += 3, index += 4) {
    const four = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16)
    if (four === 0) continue
    for (let n = 0; n < 4; n++) {
      const rank = (four >>> (n * RANK_BITS)) & 0x3f
      if (rank !== 0) visit(index + n, rank)
    }
  }
}
