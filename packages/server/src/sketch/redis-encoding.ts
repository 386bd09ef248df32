import { visitDense } from './dense-registers.ts'
import { DENSE_BYTES, MAX_RANK, RANK_BITS, REGISTER_COUNT } from './precision.ts'

/** "HYLL", the encoding, three zeros, and the cached count: 64 bits, little-endian, stale when the highest is set. */
const HEADER_BYTES = 16
const MAGIC = Buffer.from('HYLL', 'latin1')
const ENCODING_AT = 4
const STALE_AT = 15
const STALE = 0x80
const DENSE = 0
const SPARSE = 1
/** As Redis is set by default (hll-sparse-max-bytes): beyond it dense is read faster. */
const MOST_SPARSE_BYTES = 3000
/** What the sparse encoding can say. */
const MAX_SPARSE_RANK = 32

/** A Redis string in the dense encoding of hyperloglog.c, with its cached count marked stale. */
export function encodeRedis(dense: Uint8Array): Buffer {
  const value = Buffer.alloc(HEADER_BYTES + DENSE_BYTES)
  value.set(MAGIC)
  value[ENCODING_AT] = DENSE
  value[STALE_AT] = STALE
  value.set(dense, HEADER_BYTES)
  return value
}

/**
 * A Redis string in the sparse encoding, its cached count marked stale; undefined where only a dense one can say a rank,
 * or sparse would be long.
 * @param packed registers by ascending index, `index << 6 | rank` each
 */
export function encodeSparseRedis(packed: Uint32Array): Buffer | undefined {
  const codes: number[] = []
  let next = 0
  for (let i = 0; i < packed.length; ) {
    const register = packed[i]!
    const index = register >>> RANK_BITS
    const rank = register & ((1 << RANK_BITS) - 1)
    if (rank > MAX_SPARSE_RANK) return undefined
    let run = 1
    while (run < 4 && packed[i + run] === (((index + run) << RANK_BITS) | rank)) run++
    pushZeros(codes, index - next)
    codes.push(0x80 | ((rank - 1) << 2) | (run - 1))
    if (codes.length > MOST_SPARSE_BYTES) return undefined
    next = index + run
    i += run
  }
  pushZeros(codes, REGISTER_COUNT - next)
  const value = Buffer.alloc(HEADER_BYTES + codes.length)
  value.set(MAGIC)
  value[ENCODING_AT] = SPARSE
  value[STALE_AT] = STALE
  value.set(codes, HEADER_BYTES)
  return value
}

function pushZeros(codes: number[], zeros: number): void {
  if (zeros > 64) codes.push(0x40 | ((zeros - 1) >>> 8), (zeros - 1) & 255)
  else if (zeros > 0) codes.push(zeros - 1)
}

/**
 * Calls `visit` for every register in use of a Redis string in the dense or sparse encoding of hyperloglog.c, by
 * ascending index. Throws a `RangeError` when it is neither, or does not describe exactly 16,384 registers.
 */
export function decodeRedis(bytes: Uint8Array, visit: (index: number, rank: number) => void): void {
  if (bytes.length < HEADER_BYTES || MAGIC.compare(bytes, 0, MAGIC.length) !== 0) {
    throw new RangeError('not a HyperLogLog of Redis: it does not begin with HYLL')
  }
  const encoding = bytes[ENCODING_AT]!
  const body = bytes.subarray(HEADER_BYTES)
  const checked = (index: number, rank: number) => {
    if (rank > MAX_RANK)
      throw new RangeError(`register ${index} of a HyperLogLog of Redis is ${rank}, above ${MAX_RANK}`)
    visit(index, rank)
  }
  if (encoding === DENSE && body.length === DENSE_BYTES) visitDense(body, checked)
  else if (encoding === SPARSE) visitSparse(body, checked)
  else throw new RangeError(`a HyperLogLog of Redis of ${bytes.length} bytes in encoding ${encoding} cannot be read`)
}

/**
 * Runs of equal registers: `00llllll` are l + 1 zeros; `01llllll` and a second byte of lower bits l + 1 zeros too, up to
 * 16,384; `1vvvvvll` are l + 1 registers of rank v + 1.
 */
function visitSparse(body: Uint8Array, visit: (index: number, rank: number) => void): void {
  let index = 0
  for (let at = 0; at < body.length; at++) {
    const code = body[at]!
    if (code >= 0x80) {
      const end = index + (code & 3) + 1
      if (end > REGISTER_COUNT) break
      for (; index < end; index++) visit(index, ((code >>> 2) & 0x1f) + 1)
    } else if (code >= 0x40) {
      at++
      index += (((code & 0x3f) << 8) | (body[at] ?? 0)) + 1
    } else {
      index += code + 1
    }
    if (index > REGISTER_COUNT) break
  }
  if (index !== REGISTER_COUNT) {
    throw new RangeError('a sparse HyperLogLog of Redis does not describe 16,384 registers')
  }
}
