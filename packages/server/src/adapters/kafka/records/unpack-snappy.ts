import { GrowingBuffer } from './growing-buffer.ts'

/** How Java's clients begin; then blocks follow, each behind its length. */
const FRAMED = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const FRAME_HEADER_BYTES = 16

/** Unpacks Snappy, bare or in the frames of Java's clients. @throws RangeError */
export function unpackSnappy(bytes: Buffer, maxBytes: number): Buffer {
  const out = new GrowingBuffer(bytes.byteLength * 4, maxBytes)
  if (!bytes.subarray(0, FRAMED.length).equals(FRAMED)) {
    unpackBlock(bytes, out)
    return out.take()
  }
  let at = FRAME_HEADER_BYTES
  while (at < bytes.byteLength) {
    const length = bytes.readInt32BE(at)
    at += 4
    if (length < 0 || at + length > bytes.byteLength) throw new RangeError('compressed records that are cut short')
    unpackBlock(bytes.subarray(at, at + length), out)
    at += length
  }
  return out.take()
}

/** https://github.com/google/snappy/blob/main/format_description.txt */
function unpackBlock(block: Buffer, out: GrowingBuffer): void {
  let at = 0
  while ((block.readUInt8(at++) & 128) !== 0); // the length of the whole, which the output finds out itself
  while (at < block.byteLength) {
    const tag = block[at++] as number
    const upper = tag >>> 2
    const kind = tag & 3
    if (kind === 0) {
      const lengthBytes = Math.max(0, upper - 59)
      const length = (lengthBytes === 0 ? upper : block.readUIntLE(at, lengthBytes)) + 1
      at += lengthBytes
      out.write(block, at, at + length)
      at += length
    } else if (kind === 1) {
      out.repeat(((tag & 0xe0) << 3) | block.readUInt8(at), (upper & 7) + 4)
      at += 1
    } else {
      const distanceBytes = kind === 2 ? 2 : 4
      out.repeat(block.readUIntLE(at, distanceBytes), upper + 1)
      at += distanceBytes
    }
  }
}
